// Where the boxes of the map are: networks in the first column, then hubs, then what is peered with them. Dagre orders
// each column so that few lines cross; then the boxes of a column are moved together, so that all can be read.

import { Graph, layout } from "@dagrejs/dagre";
import type { EstateMap, MapEdge } from "../api/schema";
import { boxesOf, HEADER, type Box } from "./boxes";

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
  readonly y: number;
}

const GAP = { x: 72, y: 20 };
/** Width of the picture divided by its height. */
const ASPECT = 1.15;
/** A column may be this high in any case. */
const COLUMN = 1050;
const ROOT = "root";
const MARGIN = 16;

/** Return the places of everything on a map. */
export function sceneOf(map: EstateMap): Scene {
  const boxes = boxesOf(map);
  const columns = columnsOf(boxes, map.edges);
  const graph = new Graph({ directed: true });
  graph.setGraph({
    rankdir: "LR",
    ranksep: GAP.x,
    nodesep: GAP.y,
    edgesep: 8,
    marginx: MARGIN,
    marginy: MARGIN,
  });
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

  const at = stacked(boxes, columns, (id) => (graph.node(id) as Point).y);
  const wires = map.edges.flatMap((edge): Wire[] => {
    const [one, other] = [at.get(edge.source), at.get(edge.target)];
    return one && other ? [{ edge, d: beside.includes(edge) ? aside(one, other) : between(one, other) }] : [];
  });
  const shown = [...at.values()];
  return {
    boxes: shown,
    wires,
    width: Math.max(...shown.map((each) => each.x + each.width), 0) + MARGIN * 2,
    height: Math.max(...shown.map((each) => each.y + each.height), 0) + MARGIN,
  };
}

/** Return the boxes at their places: each column in the given order, one box below the other, around the middle. */
function stacked(
  boxes: readonly Box[],
  columns: ReadonlyMap<string, number>,
  order: (id: string) => number,
): Map<string, Placed> {
  const groups = new Map<number, Box[]>();
  for (const each of boxes) {
    const column = columns.get(each.node.id) ?? 0;
    groups.set(column, [...(groups.get(column) ?? []), each]);
  }
  const height = (some: readonly Box[]): number =>
    some.reduce((sum, each) => sum + each.height + GAP.y, -GAP.y);
  const tallest = Math.max(0, ...[...groups.values()].map(height));
  const placed = new Map<string, Placed>();
  let x = MARGIN;
  for (const [, some] of [...groups].sort(([one], [other]) => one - other)) {
    let y = MARGIN + (tallest - height(some)) / 2;
    for (const each of some.sort((one, other) => order(one.node.id) - order(other.node.id))) {
      placed.set(each.node.id, { ...each, x, y });
      y += each.height + GAP.y;
    }
    x += Math.max(...some.map((each) => each.width)) + GAP.x;
  }
  return placed;
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
  const [from, to] = [one, other].map((each) => ({ x: each.x + each.width, y: port(each) }));
  if (!from || !to) return "";
  const out = Math.max(from.x, to.x) + 28;
  return `M${from.x} ${from.y}C${out} ${from.y} ${out} ${to.y} ${to.x} ${to.y}`;
}

/** Return a line from the right of one box to the left of another one. */
function between(one: Placed, other: Placed): string {
  const [left, right] = one.x < other.x ? [one, other] : [other, one];
  const [from, to] = [port(left), port(right)];
  const x = left.x + left.width;
  const bend = Math.min((right.x - x) / 2, GAP.x);
  return `M${x} ${from}C${x + bend} ${from} ${right.x - bend} ${to} ${right.x} ${to}`;
}

/** Return where lines touch a box. */
function port(box: Placed): number {
  return box.y + Math.min(box.height / 2, HEADER / 2);
}
