// What is marked on a node: findings, endpoints that are not served, and contested names. Each mark has a shape and a
// text, so that nobody has to see its colour.

import type { JSX } from "preact";
import type { MapNode } from "../api/schema";
import { counted } from "../format";

export type Shape = "error" | "warning" | "info" | "dead" | "waiting" | "served";

export interface Mark {
  readonly shape: Shape;
  readonly count: number;
  /** In words, for lists and titles. */
  readonly text: string;
}

const PATHS: Record<Shape, string> = {
  error: "M3 .5h4L9.5 3v4L7 9.5H3L.5 7V3z",
  warning: "M5 .8 9.6 9H.4z",
  info: "M5 .5 9.5 5 5 9.5.5 5z",
  dead: "M2.2.8 5 3.6 7.8.8 9.2 2.2 6.4 5l2.8 2.8-1.4 1.4L5 6.4 2.2 9.2.8 7.8 3.6 5 .8 2.2z",
  waiting: "M5 .5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zm0 1.5a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
  served: "M5 1.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6z",
};

/** A shape at a place in a drawing, of 10 pixels or another size. */
export function Glyph(props: { shape: Shape; x: number; y: number; size?: number }): JSX.Element {
  return (
    <path
      class={`glyph ${props.shape}`}
      d={PATHS[props.shape]}
      transform={`translate(${props.x} ${props.y})${props.size ? ` scale(${props.size / 10})` : ""}`}
    />
  );
}

/** The sign of a network: a screen, for its clients. */
export function NetworkSign(props: { x: number; y: number }): JSX.Element {
  return (
    <path
      class="network-sign"
      d="M0 .5h11v6.5h-11zM3.5 9h4M5.5 7v2"
      transform={`translate(${props.x} ${props.y})`}
    />
  );
}

/** The same shape in text. */
export function InlineGlyph(props: { shape: Shape }): JSX.Element {
  return (
    <svg class="inline-glyph" width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
      <path class={`glyph ${props.shape}`} d={PATHS[props.shape]} />
    </svg>
  );
}

/** Return the marks of a node, the worst first. */
export function marksOf(node: MapNode): Mark[] {
  const { findings, dead, waiting } = node.counts;
  const marks: Mark[] = [];
  const add = (shape: Shape, count: number, text: string): void => {
    if (count) marks.push({ shape, count, text });
  };
  const errors = findings.error ?? 0;
  const warnings = findings.warning ?? 0;
  add("error", errors, counted(errors, "error"));
  add("warning", warnings, counted(warnings, "warning"));
  add("dead", dead, `${dead} dead`);
  add("waiting", waiting, `${waiting} waiting`);
  return marks;
}

/** Return what a screen reader says about a node after its name. */
export function inWords(node: MapNode): string {
  const parts = [node.note];
  if (node.kind === "vnet" || node.kind === "service") parts.push(counted(node.counts.endpoints, "endpoint"));
  parts.push(...marksOf(node).map((each) => each.text));
  if (node.counts.contested) parts.push(contested(node));
  if (node.sight === "visible") parts.push("visible to the network");
  if (node.sight === "partly") parts.push("partly visible to the network");
  if (node.sight === "hidden") parts.push("not visible to the network");
  return parts.filter(Boolean).join(", ");
}

export function contested(node: MapNode): string {
  return node.kind === "endpoint" ? "contested" : `${node.counts.contested} contested`;
}

/** The shape of an endpoint: what is wrong with it, else how it is served. */
export function shapeOf(node: MapNode): Shape {
  const state = stateOf(node);
  if (state === "dead") return state;
  if (node.counts.findings.error) return "error";
  if (state === "waiting") return state;
  return node.counts.findings.warning ? "warning" : state;
}

/** Whether an endpoint is dead or has an open error, or a service has such an endpoint. */
export function isWrong(node: MapNode): boolean {
  return (
    Boolean(node.counts.findings.error ?? node.counts.dead) ||
    (node.kind === "endpoint" && stateOf(node) === "dead")
  );
}

/** The shape of an endpoint: how it is served. */
export function stateOf(node: MapNode): Shape {
  if (node.served) return "served";
  return node.state === "Pending" ? "waiting" : "dead";
}
