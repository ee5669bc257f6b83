// Sources of endpoints: how old their data is, what is wrong with them, and the syncs that pldns holds back.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, post, type Reply } from "../api/client";
import { Badge, type Tone } from "../components/badge";
import { Choice } from "../components/filters";
import { Loaded } from "../components/states";
import { PagedTable } from "../components/table";
import { Text, When } from "../components/text";
import { toast } from "../components/toast";
import { counted, duration } from "../format";
import { useMay } from "../state/identity";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";
import { Held } from "./sources/held";

export type Source = Reply<"/v1/sources">["items"][number];
type State = "fresh" | "stale" | "expired" | "unread" | "held";

const STATES: readonly (readonly [State, string, Tone])[] = [
  ["fresh", "fresh", "good"],
  ["stale", "stale", "warning"],
  ["expired", "expired", "error"],
  ["unread", "without data", "error"],
  ["held", "a sync is held", "warning"],
];
const PAGE = 50;
const EVERY = 5;
/** Seconds that the page waits for the end of a sync. */
const WAIT = 30;

export default function SourcesView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [state, cursor] = [query.get("state"), query.get("cursor")];
  const asked = { limit: PAGE, ...(state && { state: [state as State] }), ...(cursor && { cursor }) };
  const read = useResource((signal) => get("/v1/sources", asked, { signal }), [asked], EVERY);
  const may = useMay("operate");
  return (
    <>
      <div class="filters">
        <Choice
          label="State"
          name="state"
          all="every state"
          options={STATES.map(([value, text]) => [value, text])}
        />
      </div>
      <Loaded resource={read}>
        {({ items, next }) => (
          <>
            {items
              .filter((each) => each.sync.held)
              .map((each) => (
                <Held key={each.name} source={each} changed={read.reload} />
              ))}
            <PagedTable<Source>
              label="Sources of endpoints"
              rows={items}
              next={next}
              id={(each) => each.name}
              empty={state ? "No source is in this state." : "No source is configured."}
              columns={[
                { head: "Source", kind: "main", cell: (each) => <Name source={each} /> },
                { head: "State", cell: (each) => <StateShown source={each} /> },
                { head: "Data from", cell: (each) => <When at={each.last_success} none="no data yet" /> },
                { head: "Sync", cell: (each) => <Sync source={each} /> },
                { head: "Last error", cell: (each) => <Problem source={each} /> },
                ...(may
                  ? [
                      {
                        head: "Change",
                        cell: (each: Source) => <SyncNow name={each.name} changed={read.reload} />,
                      },
                    ]
                  : []),
              ]}
            />
          </>
        )}
      </Loaded>
    </>
  );
}

function Name(props: { source: Source }): JSX.Element {
  const { name, type, path } = props.source;
  return (
    <>
      <Text value={name} /> <span class="quiet">{type}</span>
      <div class="note">
        <Text value={path} />
      </div>
    </>
  );
}

function StateShown(props: { source: Source }): JSX.Element {
  const { freshness, saved, sync } = props.source;
  const found = STATES.find(([value]) => value === (freshness ?? "unread"));
  return (
    <>
      <Badge tone={found?.[2] ?? "neutral"}>{found?.[1] ?? "unknown"}</Badge>
      {sync.held && (
        <div>
          <Badge tone="warning">a sync is held</Badge>
        </div>
      )}
      {saved && <div class="note">from the saved inventory</div>}
    </>
  );
}

function Sync(props: { source: Source }): JSX.Element {
  const { sync } = props.source;
  if (sync.syncing) return <>under way</>;
  return (
    <>
      {sync.duration === null ? (
        <span class="quiet">none yet</span>
      ) : (
        <>took {sync.duration < 1 ? `${Math.round(sync.duration * 1000)} ms` : duration(sync.duration)}</>
      )}
      {sync.next && (
        <div class="note">
          next <When at={sync.next} />
        </div>
      )}
      {sync.absent > 0 && (
        <div class="note">{counted(sync.absent, "resource")} absent, removal not confirmed</div>
      )}
    </>
  );
}

function Problem(props: { source: Source }): JSX.Element {
  const { last_error, sync, unreadable, parts, incomplete } = props.source;
  if (!last_error && !unreadable && !incomplete) return <span class="quiet">none</span>;
  return (
    <>
      {last_error && <Text value={last_error} />}
      {sync.failures > 1 && <div class="note">{sync.failures} failed syncs in a row</div>}
      {unreadable > 0 && (
        <div class="note">
          {unreadable} of {counted(parts, "file or subscription", "files or subscriptions")} cannot be read
        </div>
      )}
      {incomplete > 0 && <div class="note">{counted(incomplete, "list")} without all pages</div>}
    </>
  );
}

function SyncNow(props: { name: string; changed: () => void }): JSX.Element {
  const { name, changed } = props;
  const [busy, setBusy] = useState(false);
  const text = busy ? "Syncing…" : "Sync now";
  return (
    <button
      type="button"
      disabled={busy}
      aria-label={`${text}: ${name}`}
      onClick={() => {
        setBusy(true);
        post("/v1/sources/{name}/sync", { action: "now", wait: WAIT }, { name })
          .then(
            ({ result }) => {
              toast(outcome(result), result?.outcome === "failed" ? "problem" : "note");
            },
            (failure: unknown) => {
              toast(failure instanceof Error ? failure.message : String(failure), "problem");
            },
          )
          .finally(() => {
            setBusy(false);
            changed();
          });
      }}
    >
      {text}
    </button>
  );
}

function outcome(result: Reply<"/v1/sources/{name}/sync", "post">["result"]): string {
  switch (result?.outcome) {
    case undefined:
      return "The sync is still under way.";
    case "failed":
      return `The sync failed: ${result.error}`;
    case "held":
      return "The sync is held: it would remove too much.";
    case "published": {
      const { added, changed, removed } = result.endpoints;
      return `Synced. Endpoints: ${added} added, ${changed} changed, ${removed} removed. Names with other answers: ${result.names}.`;
    }
  }
}
