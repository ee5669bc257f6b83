// The lines of the map. They run only in gutters at the left of columns, in corridors above clusters, and in a channel at
// the left of everything, so that no line crosses a box.

import type { MapEdge } from "../api/schema";
import { GUTTER } from "./plan";
import type { Placed } from "./layout";

export interface Wire {
  readonly edge: MapEdge;
  /** The path of the line, as SVG has it. */
  readonly d: string;
}

type Point = readonly [number, number];

const RADIUS = 7;
/** Distance between lines of a cluster and lines to another cluster. */
const LANE = 8;
/** Where a line touches a box, from the top of the box itself. */
const PORT = 20;
/** Where lines leave a hub that is above its VNets: from its right, and how far under it they run. */
const EXIT = 26;
const UNDER = 20;

/** Return the lines between VNets that are peered. */
export function wiresOf(edges: readonly MapEdge[], boxes: readonly Placed[], channel: number): Wire[] {
  const at = new Map(boxes.map((each) => [each.node.id, each]));
  return edges.flatMap((edge): Wire[] => {
    const [one, other] = [at.get(edge.source), at.get(edge.target)];
    if (!one || !other || edge.kind === "home" || edge.kind === "reach") return [];
    const [hub, member] = one.hubOf !== undefined ? [one, other] : [other, one];
    const points =
      hub.hubOf !== undefined && member.hubOf === undefined && hub.cluster === member.cluster
        ? fromHub(hub, member)
        : across(one, other, channel);
    return [{ edge, d: rounded(points) }];
  });
}

/** Return the way from a hub to one of its VNets. */
function fromHub(hub: Placed, member: Placed): Point[] {
  const gutter = member.x - GUTTER / 2;
  const right = hub.x + hub.width;
  const [from, to] = [port(hub), port(member)];
  const end: Point[] = [
    [gutter, to],
    [member.x, to],
  ];
  if (hub.hubOf === "below") {
    const [x, y] = [right - EXIT, hub.y + hub.height];
    return [[x, y], [x, y + UNDER], [gutter, y + UNDER], ...end];
  }
  const first = right + GUTTER / 2;
  const above: Point[] =
    first === gutter
      ? []
      : [
          [first, hub.corridor],
          [gutter, hub.corridor],
        ];
  return [[right, from], [first, from], ...above, ...end];
}

/** Return the way between any two VNets. */
function across(one: Placed, other: Placed, channel: number): Point[] {
  const [from, to] = [one, other].map((each) => each.x - GUTTER / 2 + LANE) as [number, number];
  const [start, end] = [port(one) + LANE, port(other) + LANE];
  const middle: Point[] =
    from === to
      ? []
      : one.corridor === other.corridor
        ? [
            [from, one.corridor - LANE],
            [to, one.corridor - LANE],
          ]
        : [
            [from, one.corridor - LANE],
            [channel, one.corridor - LANE],
            [channel, other.corridor - LANE],
            [to, other.corridor - LANE],
          ];
  return [[one.x, start], [from, start], ...middle, [to, end], [other.x, end]];
}

function port(box: Placed): number {
  return box.y + box.top + PORT;
}

/** Return a path through points, with round corners. */
function rounded(points: readonly Point[]): string {
  const [first, ...others] = points.filter(
    ([x, y], index) => !index || x !== points[index - 1]?.[0] || y !== points[index - 1]?.[1],
  );
  if (!first) return "";
  let d = `M${first[0]} ${first[1]}`;
  let before = first;
  others.forEach((corner, index) => {
    const next = others[index + 1];
    if (next) {
      const [into, out] = [toward(corner, before), toward(corner, next)];
      d += `L${into[0]} ${into[1]}Q${corner[0]} ${corner[1]} ${out[0]} ${out[1]}`;
    } else d += `L${corner[0]} ${corner[1]}`;
    before = corner;
  });
  return d;
}

function toward([x, y]: Point, [otherX, otherY]: Point): Point {
  const length = Math.hypot(otherX - x, otherY - y) || 1;
  const part = Math.min(RADIUS, length / 2) / length;
  return [x + (otherX - x) * part, y + (otherY - y) * part];
}
