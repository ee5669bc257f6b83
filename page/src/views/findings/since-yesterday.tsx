// How many findings opened and closed in the last day.

import type { JSX } from "preact";
import { get, type Reply } from "../../api/client";
import { number } from "../../format";
import { href, Link } from "../../router";
import { overview } from "../../state/live";
import { useResource } from "../../state/resource";
import { useStore } from "../../state/store";

type Day = Reply<"/v1/history">;

/** Changes that are counted; more are not asked for. */
const MOST = 500;

/** Return the changes of findings in the last day; `undefined` while they are not known. */
export function useDay(): Day | undefined {
  const open = useStore(overview)?.counts.findings;
  return useResource(
    (signal) => get("/v1/history", { kind: ["finding"], since: "1d", limit: MOST }, { signal }),
    [open],
  ).data;
}

export function sentenceOf(day: Day): string {
  const count = (change: "added" | "removed"): string =>
    number(day.items.filter((each) => each.change === change).length);
  const least = day.next === null ? "" : `, of the newest ${number(MOST)} changes`;
  return `Since yesterday: ${count("added")} opened, ${count("removed")} closed${least}`;
}

/** A line that leads to the history. */
export function SinceYesterday(): JSX.Element | null {
  const day = useDay();
  if (!day) return null; // the state directory may have no history
  return (
    <Link class="since" to={href("history", { kind: "finding", since: "24h" })}>
      {sentenceOf(day)}
    </Link>
  );
}
