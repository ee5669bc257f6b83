// The boxes of the map: one for each VNet, with a tab for each network whose clients are in it and a row for each
// endpoint or closed service. A network with clients in no VNet of the map is a box by itself. Knows the sizes of
// everything, and not where the boxes are.

import type { EstateMap, MapNode, MapRest } from "../api/schema";
import { visible } from "../format";
import { widthOf } from "./label";

export interface Row {
  readonly y: number;
  /** The service at the left: on its only row where it is closed, else on the row of its first endpoint. */
  readonly service?: MapNode | undefined;
  readonly endpoint?: MapNode | undefined;
  /** What is left out at this place. */
  readonly rest?: MapRest | undefined;
}

export interface Tab {
  readonly node: MapNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export interface Box {
  readonly node: MapNode;
  readonly width: number;
  readonly height: number;
  /** Where the box itself begins, under its tabs. */
  readonly top: number;
  readonly tabs: readonly Tab[];
  readonly rows: readonly Row[];
}

export const WIDTH = 300;
export const HEADER = 60;
export const ROW = 20;
/** Where the endpoints of an open service begin: the service itself is at their left. */
export const SPLIT = 104;
export const TAB = 22;
const NETWORK = { width: 190, height: 46 };
const PADDING = 8;
/** Lines leave a hub at the right of its tabs. */
const TABS = WIDTH - 50;

/** Return the boxes of a map. */
export function boxesOf(map: EstateMap): Box[] {
  const inside = new Map<string, MapNode[]>();
  for (const each of map.nodes) {
    if (each.inside) inside.set(each.inside, [...(inside.get(each.inside) ?? []), each]);
  }
  const rests = new Map(map.rests.map((each) => [each.inside, each]));
  const { homes, housed } = homesOf(map);
  return map.nodes
    .filter((each) => !each.inside && !housed.has(each.id))
    .map((node) => {
      if (node.kind === "network") return { node, ...NETWORK, top: 0, tabs: [], rows: [] };
      const tabs = tabsOf(homes.get(node.id) ?? []);
      const top = tabs.length ? Math.max(...tabs.map((each) => each.y)) + TAB : 0;
      const services = (inside.get(node.id) ?? []).filter((each) => each.kind === "service");
      const rows = rowsOf(services, inside, rests, rests.get(node.id), top + HEADER);
      return { node, width: WIDTH, height: top + HEADER + rows.length * ROW + PADDING, top, tabs, rows };
    });
}

/** Return the networks with clients in each VNet of the map, and the ids of all these networks. */
function homesOf(map: EstateMap): { homes: Map<string, MapNode[]>; housed: Set<string> } {
  const nodes = new Map(map.nodes.map((each) => [each.id, each]));
  const homes = new Map<string, MapNode[]>();
  const housed = new Set<string>();
  const add = (vnet: string, network: MapNode | undefined): void => {
    if (!network) return;
    homes.set(vnet, [...(homes.get(vnet) ?? []), network]);
    housed.add(network.id);
  };
  for (const { kind, source, target } of map.edges) if (kind === "home") add(target, nodes.get(source));
  for (const each of map.nodes) if (each.kind === "network" && each.inside) add(each.inside, each);
  return { homes, housed };
}

function tabsOf(networks: readonly MapNode[]): Tab[] {
  const tabs: Tab[] = [];
  let [x, y] = [8, 0];
  for (const node of networks) {
    const width = Math.min(31 + widthOf(visible(node.label), "bold"), TABS);
    if (x > 8 && x + width > TABS) [x, y] = [8, y + TAB + 3];
    tabs.push({ node, x, y, width });
    x += width + 5;
  }
  return tabs;
}

function rowsOf(
  services: readonly MapNode[],
  inside: ReadonlyMap<string, readonly MapNode[]>,
  rests: ReadonlyMap<string, MapRest>,
  left: MapRest | undefined,
  top: number,
): Row[] {
  const rows: Row[] = [];
  const add = (row: Omit<Row, "y">): void => {
    rows.push({ y: top + rows.length * ROW, ...row });
  };
  for (const service of services) {
    const endpoints = inside.get(service.id) ?? [];
    endpoints.forEach((endpoint, index) => {
      add({ endpoint, service: index ? undefined : service });
    });
    if (!endpoints.length) add({ service });
    const rest = rests.get(service.id);
    if (rest && service.open) add({ rest });
  }
  if (left) add({ rest: left });
  return rows;
}
