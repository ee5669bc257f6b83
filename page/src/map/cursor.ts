// The cursor of the map: what the arrow keys are at. It goes to the nearest thing in a direction, as the eye does.

import type { MapNode } from "../api/schema";
import { inWords } from "./marks";
import { HEADER, ROW, SPLIT, TAB } from "./boxes";
import type { Rectangle } from "./camera";
import type { Scene } from "./layout";

export interface Target extends Rectangle {
  readonly node: MapNode;
}

export type Direction = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

const KINDS = { network: "network", vnet: "VNet", service: "service", endpoint: "endpoint" } as const;

/** Return everything that the cursor can be at, with its place in the scene. */
export function targetsOf(scene: Scene): Target[] {
  return scene.boxes.flatMap((box): Target[] => {
    const { node, x, y, width, top } = box;
    if (node.kind === "network") return [{ node, x, y, width, height: box.height }];
    return [
      ...box.tabs.map((tab) => ({
        node: tab.node,
        x: x + tab.x,
        y: y + tab.y,
        width: tab.width,
        height: TAB - 3,
      })),
      { node, x, y: y + top, width, height: HEADER - 4 },
      ...box.rows.flatMap((row) => {
        const line = { y: y + row.y, height: ROW };
        const { service, endpoint } = row;
        return [
          ...(service ? [{ node: service, x, width: service.open ? SPLIT : width, ...line }] : []),
          ...(endpoint ? [{ node: endpoint, x: x + SPLIT, width: width - SPLIT, ...line }] : []),
        ];
      }),
    ];
  });
}

/** Return the nearest target in a direction; the same one where there is none. */
export function next(targets: readonly Target[], from: Target, direction: Direction): Target {
  const isAcross = direction === "ArrowLeft" || direction === "ArrowRight";
  const sign = direction === "ArrowLeft" || direction === "ArrowUp" ? -1 : 1;
  let best: { target: Target; cost: number } | undefined;
  for (const target of targets) {
    if (target === from) continue;
    const ahead = isAcross ? ends(from, target, sign, "x", "width") : ends(from, target, sign, "y", "height");
    if (ahead < -1) continue;
    const aside = isAcross ? apart(from, target, "y", "height") : apart(from, target, "x", "width");
    const cost = ahead + aside * 3;
    if (!best || cost < best.cost) best = { target, cost };
  }
  return best?.target ?? from;
}

/** Return how far ahead the near edge of a target is. */
function ends(
  from: Rectangle,
  to: Rectangle,
  sign: number,
  axis: "x" | "y",
  length: "width" | "height",
): number {
  return sign > 0 ? to[axis] - (from[axis] + from[length]) : from[axis] - (to[axis] + to[length]);
}

/** Return how far aside a target is; 0 where both overlap. */
function apart(from: Rectangle, to: Rectangle, axis: "x" | "y", length: "width" | "height"): number {
  return Math.max(0, to[axis] - (from[axis] + from[length]), from[axis] - (to[axis] + to[length]));
}

/** Return what a screen reader says about a target. */
export function spoken({ node }: Target): string {
  const opened = node.kind === "service" ? (node.open ? ", open" : ", closed") : "";
  return `${KINDS[node.kind]} ${node.label}, ${inWords(node)}${opened}`;
}
