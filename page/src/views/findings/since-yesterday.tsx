// How many findings opened and closed in the last day, as links to the history.

import type { JSX } from "preact";
import { get } from "../../api/client";
import { number } from "../../format";
import { href, Link } from "../../router";
import { overview } from "../../state/live";
import { useResource } from "../../state/resource";
import { useStore } from "../../state/store";

/** Changes that are counted; more are not asked for. */
const MOST = 500;

export function SinceYesterday(): JSX.Element | null {
  const open = useStore(overview)?.counts.findings;
  const changes = useResource(
    (signal) => get("/v1/history", { kind: ["finding"], since: "1d", limit: MOST }, { signal }),
    [open],
  );
  if (!changes.data) return null; // the state directory may have no history
  const { items, next } = changes.data;
  const count = (change: "added" | "removed"): string =>
    number(items.filter((each) => each.change === change).length);
  return (
    <Link class="since" to={href("history", { kind: "finding", since: "24h" })}>
      Since yesterday: {count("added")} opened, {count("removed")} closed
      {next !== null && `, of the newest ${number(MOST)} changes`}
    </Link>
  );
}
