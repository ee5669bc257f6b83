// A VNet from far away: its name as large as it fits, a dot for each endpoint, and the names of those that are wrong. What
// is red can be seen where rows cannot be read.

import type { JSX } from "preact";
import { number } from "../format";
import { cut, wrapped } from "./label";
import type { Placed } from "./layout";
import { Glyph, isWrong, marksOf, shapeOf } from "./marks";

/** Distance of dots: as large as all of them fit, within these. */
const DOTS = { least: 14, most: 28 };
const SIDE = 14;
/** Width of a character, relative to the size of the text. */
const ASPECT = 0.62;
const LINE = 1.15;
/** Size of a name on the screen, in pixels. */
const LARGE = 11;
const SMALL = 9;

/** `scale`: of the camera; texts are as large as this needs. */
export function FarVNet(props: { box: Placed; scale: number }): JSX.Element {
  const { box, scale } = props;
  const { node, top, height } = box;
  const room = box.width - SIDE * 2;
  const wide = LARGE / scale;
  const lines = wrapped(node.label, node.label.length * wide * ASPECT > room && height - top > 95 ? 2 : 1);
  const longest = Math.max(...lines.map((each) => each.length), 1);
  const font = Math.max(13, Math.min(wide, room / (longest * ASPECT), (height - top) / 3.2));
  const under = top + 8 + lines.length * font * LINE;
  const endpoints = box.rows.flatMap((each) => each.endpoint ?? []);
  const dot = dotOf(endpoints.length, room, height - under - 12);
  const across = Math.floor(room / dot);
  const below = under + 8 + Math.ceil(endpoints.length / across) * dot;
  return (
    <>
      {lines.map((line, index) => (
        <Text
          key={line}
          text={line}
          x={SIDE}
          y={top + 6 + (index + 0.85) * font * LINE}
          size={font}
          room={room}
          name
        />
      ))}
      {endpoints.length && dot >= DOTS.least ? (
        <>
          {endpoints.map((each, index) => (
            <Glyph
              key={each.id}
              shape={shapeOf(each)}
              x={SIDE + (index % across) * dot}
              y={under + 8 + Math.floor(index / across) * dot}
              size={dot * 0.78}
            />
          ))}
          <Wrong box={box} top={below} size={Math.min(SMALL / scale, 24)} room={room} />
        </>
      ) : (
        <>
          <Counts box={box} size={font} y={under + font} room={room} />
          <Wrong box={box} top={under + font * 1.5} size={Math.min(SMALL / scale, 24)} room={room} />
        </>
      )}
    </>
  );
}

/** The names of the endpoints and closed services that are wrong, as many as have room. */
function Wrong(props: { box: Placed; top: number; size: number; room: number }): JSX.Element {
  const { box, top, size, room } = props;
  const most = Math.floor((box.height - top - 4) / (size * 1.3));
  const wrong = box.rows.flatMap(({ endpoint, service }) => {
    const node = endpoint ?? service;
    return node && isWrong(node) ? [node] : [];
  });
  return (
    <>
      {wrong.slice(0, Math.max(most, 0)).map((each, index) => (
        <Text
          key={each.id}
          text={each.label}
          x={SIDE}
          y={top + size * (0.9 + index * 1.3)}
          size={size}
          room={room}
          class="bad"
        />
      ))}
    </>
  );
}

function Counts(props: { box: Placed; size: number; y: number; room: number }): JSX.Element {
  const { size, y, room } = props;
  const count = number(props.box.node.counts.endpoints);
  let x = SIDE + (count.length * ASPECT + 0.8) * size;
  return (
    <>
      <text x={SIDE} y={y} font-size={size}>
        {count}
      </text>
      {marksOf(props.box.node).map(({ shape, count: some }) => {
        const at = x;
        x += size * (1.6 + String(some).length * ASPECT);
        return x < SIDE + room + size ? (
          <g key={shape} transform={`translate(${at} ${y - size * 0.78}) scale(${size / 12})`}>
            <Glyph shape={shape} x={0} y={0} />
            <text x="13" y="9.4" font-size="12">
              {number(some)}
            </text>
          </g>
        ) : null;
      })}
    </>
  );
}

function Text(props: {
  text: string;
  x: number;
  y: number;
  size: number;
  room: number;
  name?: boolean;
  class?: string;
}): JSX.Element {
  const { text, x, y, size, room, name } = props;
  // Measured at its usual size, which is 12 or 13.
  const shown = name ? cut(text, (room / size) * 13, "name") : cut(text, (room / size) * 12, "usual");
  return (
    <text class={`${name ? "strong" : ""} ${props.class ?? ""}`} x={x} y={y} font-size={size}>
      {shown}
    </text>
  );
}

/** Return the largest distance at which so many dots have room. */
function dotOf(count: number, width: number, height: number): number {
  let dot = DOTS.most;
  while (dot >= DOTS.least && Math.floor(width / dot) * Math.floor(height / dot) < count) dot -= 1;
  return dot;
}
