// Where the boxes of the map are: networks in the first column, then hubs, then what is peered with them. Dagre orders
// each column so that few lines cross, and leads the lines around the boxes.

import { Graph, layout } from "@dagrejs/dagre";
import type { EstateMap, MapEdge } from "../api/schema";
import { boxesOf, type Box } from "./boxes";

export interface Placed extends Box {
  readonly x: number;
  readonly y: number;
}

export interface Wire {
  readonly edge: MapEdge;
  /** The path of the line, as SVG has it. */
  readonly d: string;
}

export interface Scene {
  readonly boxes: readonly Placed[];
  readonly wires: readonly Wire[];
  readonly width: number;
  readonly height: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const GAP = { x: 72, y: 20 };
/** Width of the picture divided by its height. */
const ASPECT = 1.7;
/** A column may be this high in any case. */
const COLUMN = 760;
const ROOT = "root";

/** Return the places of everything on a map. */
export function sceneOf(map: EstateMap): Scene {
  const boxes = boxesOf(map);
  const columns = columnsOf(boxes, map.edges);
  const graph = new Graph({ directed: true });
  graph.setGraph({ rankdir: "LR", ranksep: GAP.x, nodesep: GAP.y, edgesep: 8, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  graph.setNode(ROOT, { width: 0, height: 0 });
  for (const { node, width, height } of boxes) {
    graph.setNode(node.id, { width, height });
    graph.setEdge(ROOT, node.id, { minlen: 1 + (columns.get(node.id) ?? 0), weight: 1000 });
  }
  const beside: MapEdge[] = [];
  const column = (id: string): number => columns.get(id) ?? 0;
  for (const edge of map.edges) {
    const distance = column(edge.target) - column(edge.source);
    if (distance === 0) beside.push(edge);
    else if (distance > 0) graph.setEdge(edge.source, edge.target, { weight: 1 });
    else graph.setEdge(edge.target, edge.source, { weight: 1 });
  }
  layout(graph);

  const placed = boxes.map((box): Placed => {
    const { x, y } = graph.node(box.node.id) as Point;
    return { ...box, x: x - box.width / 2, y: y - box.height / 2 };
  });
  const left = Math.min(...placed.map((each) => each.x)) - 16;
  const at = new Map(placed.map((each) => [each.node.id, { ...each, x: each.x - left }]));
  const wires = map.edges.map((edge): Wire => {
    const [one, other] = [at.get(edge.source), at.get(edge.target)];
    if (beside.includes(edge) && one && other) return { edge, d: aside(one, other) };
    const forth = graph.hasEdge(edge.source, edge.target);
    const [from, to] = forth ? [edge.source, edge.target] : [edge.target, edge.source];
    const { points } = graph.edge(from, to) as { points: Point[] };
    return { edge, d: smooth(points.map(({ x, y }) => ({ x: x - left, y }))) };
  });
  const shown = [...at.values()];
  return {
    boxes: shown,
    wires,
    width: Math.max(...shown.map((each) => each.x + each.width), 0) + 32,
    height: Math.max(...shown.map((each) => each.y + each.height), 0) + 16,
  };
}

/** Return the column of each box: networks first, then VNets that others are peered with, such as hubs, then these. */
function columnsOf(boxes: readonly Box[], edges: readonly MapEdge[]): Map<string, number> {
  const columns = new Map<string, number>();
  const networks = boxes.filter((each) => each.node.kind === "network");
  const vnets = boxes.filter((each) => each.node.kind === "vnet");
  for (const each of networks) columns.set(each.node.id, 0);
  const peered = edges.filter((each) => each.kind === "peering" || each.kind === "one-way-peering");
  const degree = (id: string): number =>
    peered.filter((each) => each.source === id || each.target === id).length;
  const isHub = ({ node: { id } }: Box): boolean =>
    peered.some((each) => each.source === id) &&
    (degree(id) > 1 || !peered.some((each) => each.target === id));
  const hubs = vnets.filter(isHub);
  const owner = (box: Box): number =>
    hubs.findIndex((hub) =>
      peered.some((each) => each.source === hub.node.id && each.target === box.node.id),
    );
  const others = vnets.filter((each) => !isHub(each)).sort((one, other) => owner(one) - owner(other));
  const area = vnets.reduce((sum, each) => sum + (each.height + GAP.y) * (each.width + GAP.x), 0);
  const tallest = Math.max(COLUMN, Math.sqrt(area / ASPECT), ...vnets.map((each) => each.height));
  let next = networks.length ? 1 : 0;
  for (const some of [hubs, others]) {
    let filled = 0;
    for (const each of some) {
      if (filled && filled + each.height > tallest) {
        next += 1;
        filled = 0;
      }
      columns.set(each.node.id, next);
      filled += each.height + GAP.y;
    }
    if (some.length) next += 1;
  }
  return columns;
}

/** Return a line between two boxes of one column, at their right. */
function aside(one: Placed, other: Placed): string {
  const [from, to] = [one, other].map((each) => ({ x: each.x + each.width, y: each.y + 20 }));
  if (!from || !to) return "";
  const out = Math.max(from.x, to.x) + 28;
  return `M${from.x} ${from.y}C${out} ${from.y} ${out} ${to.y} ${to.x} ${to.y}`;
}

/** Return a path through some points, without corners. */
function smooth(points: readonly Point[]): string {
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (!first || !last) return "";
  let d = `M${round(first.x)} ${round(first.y)}`;
  rest.slice(0, -1).forEach((each, index) => {
    const next = rest[index + 1] ?? last;
    const middle = index === rest.length - 2 ? next : { x: (each.x + next.x) / 2, y: (each.y + next.y) / 2 };
    d += `Q${round(each.x)} ${round(each.y)} ${round(middle.x)} ${round(middle.y)}`;
  });
  return rest.length === 1 ? `${d}L${round(last.x)} ${round(last.y)}` : d;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
