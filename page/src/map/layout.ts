// Where everything on the map is: clusters on shelves, columns in clusters, boxes in columns, and lines between boxes.

import type { EstateMap } from "../api/schema";
import { boxesOf, type Box } from "./boxes";
import { clustersOf } from "./clusters";
import {
  chosen,
  CORRIDOR,
  extentOf,
  fits,
  GAP,
  GUTTER,
  MARGIN,
  type Plan,
  type PlannedCluster,
  type Size,
} from "./plan";
import { wiresOf, type Wire } from "./wires";

export interface Placed extends Box {
  readonly x: number;
  readonly y: number;
  readonly cluster: PlannedCluster;
  /** Where lines run above the cluster. */
  readonly corridor: number;
  /** Of a hub: where its VNets are. */
  readonly hubOf?: "beside" | "below" | undefined;
}

export interface Title {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export interface Scene {
  readonly boxes: readonly Placed[];
  readonly wires: readonly Wire[];
  readonly titles: readonly Title[];
  readonly width: number;
  readonly height: number;
  readonly plan: Plan;
}

/** Return the places of everything on a map. `before`: the plan of the last scene, which is kept where it fits. */
export function sceneOf(map: EstateMap, stage: Size, before: Plan | undefined): Scene {
  const boxes = boxesOf(map);
  const plan = fits(before, boxes) ? before : chosen(clustersOf(boxes, map.edges), stage);
  const size = new Map(boxes.map((each) => [each.node.id, each]));
  const placed: Placed[] = [];
  const titles: Title[] = [];
  let y = MARGIN;
  let width = 0;
  for (const shelf of plan.shelves) {
    let x = MARGIN;
    let tallest = 0;
    for (const cluster of shelf) {
      const { width: wide, height } = extentOf(cluster, plan.side, size);
      placed.push(...inCluster(cluster, plan.side, size, x, y));
      if (cluster.title) titles.push({ x: x + GUTTER, y: y + CORRIDOR - 10, text: cluster.title });
      x += wide;
      tallest = Math.max(tallest, height);
    }
    width = Math.max(width, x + MARGIN);
    y += tallest;
  }
  return { boxes: placed, wires: wiresOf(map.edges, placed, MARGIN), titles, width, height: y, plan };
}

function inCluster(
  cluster: PlannedCluster,
  side: Plan["side"],
  size: ReadonlyMap<string, Box>,
  left: number,
  above: number,
): Placed[] {
  const corridor = above + CORRIDOR / 2;
  const placed: Placed[] = [];
  let [x, top] = [left, above + CORRIDOR];
  const hub = size.get(cluster.hub ?? "");
  if (hub) {
    const hubOf = side === "left" ? "beside" : "below";
    placed.push({ ...hub, x: x + GUTTER, y: top, cluster, corridor, hubOf });
    if (side === "left") x += GUTTER + hub.width;
    else top += hub.height + GAP + CORRIDOR;
  }
  for (const column of cluster.columns) {
    const boxes = column.flatMap((id) => size.get(id) ?? []);
    let y = top;
    for (const each of boxes) {
      placed.push({ ...each, x: x + GUTTER, y, cluster, corridor });
      y += each.height + GAP;
    }
    x += GUTTER + Math.max(0, ...boxes.map((each) => each.width));
  }
  return placed;
}
