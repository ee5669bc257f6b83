// The boxes of the map: one for each network by itself, and one for each VNet with rows for what it holds. Knows the
// sizes of everything, and not where the boxes are.

import type { EstateMap, MapNode, MapRest } from "../api/schema";

export interface Row {
  readonly y: number;
  readonly height: number;
  readonly depth: number;
  readonly node?: MapNode;
  /** What is left out at this place. */
  readonly rest?: MapRest;
}

export interface Box {
  readonly node: MapNode;
  readonly width: number;
  readonly height: number;
  readonly rows: readonly Row[];
}

export const WIDTH = 236;
export const HEADER = 62;
const NETWORK = { width: 168, height: 44 };
const ROW = 24;
const PADDING = 8;

/** Return the boxes of a map, in the order of its nodes. */
export function boxesOf(map: EstateMap): Box[] {
  const inside = new Map<string, MapNode[]>();
  for (const each of map.nodes) {
    if (each.inside) inside.set(each.inside, [...(inside.get(each.inside) ?? []), each]);
  }
  const rests = new Map(map.rests.map((each) => [each.inside, each]));
  return map.nodes
    .filter((each) => !each.inside)
    .map((node) => {
      if (node.kind === "network") return { node, ...NETWORK, rows: [] };
      const rows: Row[] = [];
      let y = HEADER;
      const add = (row: Pick<Row, "depth" | "node" | "rest">): void => {
        rows.push({ y, height: ROW, ...row });
        y += ROW;
      };
      const fill = (id: string, depth: number): void => {
        for (const child of inside.get(id) ?? []) {
          add({ depth, node: child });
          fill(child.id, depth + 1);
        }
        const rest = rests.get(id);
        if (rest) add({ depth, rest });
      };
      fill(node.id, 0);
      return { node, width: WIDTH, height: y + PADDING, rows };
    });
}
