// Upstream servers over all workers: each worker asks by itself, so each has its own opinion of a server.

import type { Reply } from "../../api/client";

/** What one worker knows of a server. */
export type Seen = Reply<"/v1/upstreams">["items"][number];

/** A server of a group, as all workers together know it. */
export interface Server {
  readonly group: string;
  readonly server: string;
  /** `partly`: some workers regard it as down. `silent`: it has failed, and never answered. */
  readonly state: "up" | "partly" | "down" | "silent" | "unknown";
  /** Milliseconds, weighted by the answers; null before the first answer. */
  readonly roundTrip: number | null;
  readonly answers: number;
  readonly failures: number;
  readonly waiting: number;
  /** Why and when the last query failed. */
  readonly failure: { readonly why: string; readonly at: string } | undefined;
  readonly downSince: string | null;
  readonly nextProbe: string | null;
  readonly workers: readonly Seen[];
}

/** Return the servers with all that workers know of them, in the order of the list. */
export function servers(items: readonly Seen[]): Server[] {
  const found = new Map<string, Seen[]>();
  for (const each of items) {
    const key = `${each.group} ${each.server}`;
    found.set(key, [...(found.get(key) ?? []), each]);
  }
  return [...found.values()].map(together);
}

function together(workers: readonly Seen[]): Server {
  const [{ group, server }] = workers as readonly [Seen];
  const up = workers.filter((each) => each.up).length;
  const answers = sum(workers.map((each) => each.answers));
  const failures = sum(workers.map((each) => each.failures));
  const timed = workers.filter((each) => each.round_trip_ms !== null);
  const weight = sum(timed.map((each) => each.answers));
  const last = workers
    .filter((each) => each.last_failure_at !== null)
    .sort((one, other) => (other.last_failure_at ?? "").localeCompare(one.last_failure_at ?? ""))[0];
  return {
    group,
    server,
    state: stateOf(up, workers.length, answers, failures),
    roundTrip: weight ? sum(timed.map((each) => (each.round_trip_ms ?? 0) * each.answers)) / weight : null,
    answers,
    failures,
    waiting: sum(workers.map((each) => each.outstanding)),
    failure: last?.last_failure_at ? { why: last.last_failure, at: last.last_failure_at } : undefined,
    downSince: earliest(workers.map((each) => each.down_since)),
    nextProbe: earliest(workers.map((each) => each.next_probe)),
    workers,
  };
}

function stateOf(up: number, workers: number, answers: number, failures: number): Server["state"] {
  if (!answers && !failures) return "unknown";
  if (!up) return "down";
  if (up < workers) return "partly";
  return answers ? "up" : "silent";
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}

/** Return the earliest of some times in UTC. */
function earliest(times: readonly (string | null)[]): string | null {
  return times.filter((each): each is string => each !== null).sort()[0] ?? null;
}
