// VNets that belong together: a hub with the VNets that are peered with it. Dagre puts hubs that are peered with each
// other side by side. Does not know sizes or places.

import { Graph, layout } from "@dagrejs/dagre";
import type { MapEdge } from "../api/schema";
import type { Box } from "./boxes";

export interface Cluster {
  readonly hub?: Box | undefined;
  readonly members: readonly Box[];
  /** What the members have in common, where there is no hub. */
  readonly title?: string;
}

/** Return the clusters of a map, each near those that it is peered with. */
export function clustersOf(boxes: readonly Box[], edges: readonly MapEdge[]): Cluster[] {
  const vnets = boxes.filter((each) => each.node.kind === "vnet").sort(byName);
  const networks = boxes.filter((each) => each.node.kind === "network").sort(byName);
  const peers = peersOf(vnets, edges);
  const hubs = vnets.filter((each) => isHub(each, peers));
  const free = vnets.filter((each) => !hubs.includes(each));
  const rank = new Map(inOrder(hubs, peers).map((each, index) => [each.node.id, index]));
  hubs.sort((one, other) => (rank.get(one.node.id) ?? 0) - (rank.get(other.node.id) ?? 0));
  const clusters: Cluster[] = hubs.map((hub) => ({
    hub,
    members: free.filter((each) => hubOf(each, hubs, peers) === hub),
  }));
  const alone = free.filter((each) => !hubOf(each, hubs, peers));
  if (networks.length) clusters.unshift({ members: networks, title: "Networks with clients in no VNet" });
  if (alone.length) clusters.push({ members: alone, title: hubs.length ? "VNets without a peering" : "" });
  return clusters;
}

type Peers = ReadonlyMap<string, ReadonlySet<string>>;

function peersOf(vnets: readonly Box[], edges: readonly MapEdge[]): Peers {
  const peers = new Map(vnets.map((each) => [each.node.id, new Set<string>()]));
  for (const { kind, source, target } of edges) {
    if (kind !== "peering" && kind !== "one-way-peering") continue;
    peers.get(source)?.add(target);
    peers.get(target)?.add(source);
  }
  return peers;
}

/** A hub has more peers than any of these; of two VNets that are alike, the first one is the hub. */
function isHub(box: Box, peers: Peers): boolean {
  const own = peers.get(box.node.id) ?? new Set();
  const others = [...own].map((each) => peers.get(each)?.size ?? 0);
  if (own.size > 1)
    return others.some((each) => each < own.size) || others.every((each) => each === own.size);
  return own.size === 1 && others[0] === 1 && [...own].every((each) => box.node.id < each);
}

function hubOf(box: Box, hubs: readonly Box[], peers: Peers): Box | undefined {
  const own = hubs.filter((hub) => peers.get(box.node.id)?.has(hub.node.id));
  const size = (hub: Box): number => peers.get(hub.node.id)?.size ?? 0;
  return own.sort((one, other) => size(other) - size(one))[0];
}

function inOrder(hubs: readonly Box[], peers: Peers): Box[] {
  const graph = new Graph({ directed: true });
  graph.setGraph({ rankdir: "LR" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { node } of hubs) graph.setNode(node.id, { width: 1, height: 1 });
  for (const { node } of hubs)
    for (const peer of peers.get(node.id) ?? [])
      if (node.id < peer && graph.hasNode(peer)) graph.setEdge(node.id, peer);
  if (hubs.length > 1) layout(graph);
  const at = (box: Box): { x: number; y: number } => graph.node(box.node.id) as { x: number; y: number };
  return hubs.length > 1
    ? [...hubs].sort((one, other) => at(one).x - at(other).x || at(one).y - at(other).y)
    : [...hubs];
}

function byName(one: Box, other: Box): number {
  return one.node.label.localeCompare(other.node.label) || one.node.id.localeCompare(other.node.id);
}
