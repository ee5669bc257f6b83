// What the signs and lines of the map mean.

import type { JSX } from "preact";
import { InlineGlyph, type Shape } from "./marks";

const SHAPES: readonly (readonly [Shape, string])[] = [
  ["error", "error, such as a contested name"],
  ["warning", "warning"],
  ["dead", "dead: rejected, disconnected or being deleted"],
  ["waiting", "waits for approval"],
  ["served", "served"],
];
const WIRES = [
  ["peering", "peering"],
  ["one-way-peering", "peering in one direction"],
] as const;

export function Legend(): JSX.Element {
  return (
    <ul class="map-legend" aria-label="Signs">
      {SHAPES.map(([shape, text]) => (
        <li key={shape}>
          <InlineGlyph shape={shape} /> {text}
        </li>
      ))}
      <li>
        <span class="inline-tab" aria-hidden="true" /> network with clients in the VNet
      </li>
      {WIRES.map(([kind, text]) => (
        <li key={kind}>
          <svg class="inline-wire" width="24" height="8" aria-hidden="true">
            <path class={`wire ${kind}`} d="M0 4h24" />
          </svg>{" "}
          {text}
        </li>
      ))}
    </ul>
  );
}
