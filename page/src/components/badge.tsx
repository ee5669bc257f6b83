// Small marks of a state. Each has a word and a shape, so that nobody has to see its colour.

import type { JSX } from "preact";
import type { Severity } from "../api/schema";

export type Tone = "good" | "warning" | "error" | "info" | "neutral";

const SHAPES: Record<Tone, JSX.Element> = {
  good: <circle cx="5" cy="5" r="4" />,
  warning: <path d="M5 .8 9.6 9H.4z" />,
  error: <path d="M3 .5h4L9.5 3v4L7 9.5H3L.5 7V3z" />,
  info: <path d="M5 .5 9.5 5 5 9.5.5 5z" />,
  neutral: <circle cx="5" cy="5" r="3.2" fill="none" stroke="currentColor" stroke-width="1.6" />,
};

export function Badge(props: { tone: Tone; children: string }): JSX.Element {
  return (
    <span class={`badge ${props.tone}`}>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true" fill="currentColor">
        {SHAPES[props.tone]}
      </svg>
      {props.children}
    </span>
  );
}

export function SeverityBadge(props: { severity: Severity }): JSX.Element {
  return <Badge tone={props.severity}>{props.severity}</Badge>;
}
