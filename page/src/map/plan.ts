// Which VNet is in which column of the map. A plan is chosen so that the whole map is as large as possible on the stage,
// and is kept while the same VNets are shown: what opens or closes moves only what is below it.

import type { Box } from "./boxes";
import type { Cluster } from "./clusters";

export interface PlannedCluster {
  readonly hub?: string | undefined;
  readonly columns: readonly (readonly string[])[];
  readonly title?: string | undefined;
}

export interface Plan {
  /** Where a hub is: in a column before its VNets, or above them. */
  readonly side: "left" | "top";
  /** Clusters that are side by side, from the top to the bottom of the map. */
  readonly shelves: readonly (readonly PlannedCluster[])[];
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Free space at the left of each column, in which lines run. */
export const GUTTER = 44;
/** Free space above the columns of a cluster, in which lines run. */
export const CORRIDOR = 34;
export const GAP = 18;
export const MARGIN = 14;
const MOST = 14;

/** Return whether a plan has exactly these boxes. */
export function fits(plan: Plan | undefined, boxes: readonly Box[]): plan is Plan {
  if (!plan) return false;
  const ids = new Set(plan.shelves.flat().flatMap((each) => [each.hub ?? "", ...each.columns.flat()]));
  ids.delete("");
  return ids.size === boxes.length && boxes.every((each) => ids.has(each.node.id));
}

/** Return the plan that shows the clusters largest on a stage. */
export function chosen(clusters: readonly Cluster[], stage: Size): Plan {
  const boxes = clusters.flatMap((each) => [...(each.hub ? [each.hub] : []), ...each.members]);
  const size = new Map(boxes.map((each) => [each.node.id, each]));
  const tallest = Math.max(1, ...boxes.map((each) => each.height));
  let best: { plan: Plan; scale: number } | undefined;
  for (const side of ["left", "top"] as const)
    for (let across = 1; across <= Math.min(MOST, boxes.length); across += 1)
      for (let high = 1; high <= 8; high += 0.5) {
        const plan = planned(clusters, side, across, high * tallest);
        const { width, height } = extent(plan, size);
        const scale = Math.min(stage.width / width, stage.height / height);
        if (!best || scale > best.scale * 1.02) best = { plan, scale };
      }
  return best?.plan ?? { side: "left", shelves: [] };
}

/** Return a plan with at most `across` columns in a shelf; columns are at most `high` where that is enough. */
function planned(clusters: readonly Cluster[], side: Plan["side"], across: number, high: number): Plan {
  const shelves: PlannedCluster[][] = [];
  let used = across;
  for (const cluster of clusters) {
    const before = side === "left" && cluster.hub && cluster.members.length ? 1 : 0;
    const most = Math.max(1, across - before);
    let columns = masonry(cluster.members, 1);
    for (let count = 2; count <= most && tall(columns) > high; count += 1)
      columns = masonry(cluster.members, count);
    const width = Math.max(1, columns.length + before);
    if (used + width > across) {
      shelves.push([]);
      used = 0;
    }
    used += width;
    shelves.at(-1)?.push({
      hub: cluster.hub?.node.id,
      columns: columns.map((some) => some.map((each) => each.node.id)),
      title: cluster.title,
    });
  }
  return { side, shelves };
}

function masonry(boxes: readonly Box[], count: number): Box[][] {
  const columns: Box[][] = Array.from({ length: Math.min(count, boxes.length) }, () => []);
  const heights = columns.map(() => 0);
  for (const each of boxes) {
    const index = heights.indexOf(Math.min(...heights));
    columns[index]?.push(each);
    heights[index] = (heights[index] ?? 0) + each.height + GAP;
  }
  return columns;
}

function tall(columns: readonly (readonly Size[])[]): number {
  return Math.max(0, ...columns.map((some) => some.reduce((sum, each) => sum + each.height + GAP, 0)));
}

/** Return how large a cluster is, with its corridor and gutters. */
export function extentOf(cluster: PlannedCluster, side: Plan["side"], size: ReadonlyMap<string, Size>): Size {
  const boxes = cluster.columns.map((some) => some.map((id) => size.get(id) ?? { width: 0, height: 0 }));
  const hub = cluster.hub ? size.get(cluster.hub) : undefined;
  const widths = boxes.map((some) => GUTTER + Math.max(0, ...some.map((each) => each.width)));
  const beside = widths.reduce((sum, each) => sum + each, 0);
  const below = tall(boxes);
  if (!hub) return { width: beside, height: CORRIDOR + below };
  if (side === "left") {
    return { width: GUTTER + hub.width + beside, height: CORRIDOR + Math.max(hub.height + GAP, below) };
  }
  const under = boxes.length ? CORRIDOR + below : 0;
  return { width: Math.max(GUTTER + hub.width, beside), height: CORRIDOR + hub.height + GAP + under };
}

function extent(plan: Plan, size: ReadonlyMap<string, Size>): Size {
  const shelves = plan.shelves.map((some) => some.map((each) => extentOf(each, plan.side, size)));
  return {
    width:
      MARGIN * 2 + Math.max(0, ...shelves.map((some) => some.reduce((sum, each) => sum + each.width, 0))),
    height: MARGIN + shelves.reduce((sum, some) => sum + Math.max(0, ...some.map((each) => each.height)), 0),
  };
}
