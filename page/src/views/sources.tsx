// Sources of endpoints: how old their data is, what is wrong with them, and the syncs that pldns holds back.

import type { JSX } from "preact";
import { get, type Reply } from "../api/client";
import { Badge, type Tone } from "../components/badge";
import { Choice } from "../components/filters";
import { Loaded } from "../components/states";
import { PagedTable } from "../components/table";
import { Copy, Text, When } from "../components/text";
import { counted, duration } from "../format";
import { href, Link } from "../router";
import { useMay } from "../state/identity";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";
import { Held } from "./sources/held";
import { Problem } from "./sources/problem";
import { SyncNow } from "./sources/sync-now";

export type Source = Reply<"/v1/sources">["items"][number];
type State = "fresh" | "stale" | "expired" | "unread" | "held";

const STATES: readonly (readonly [State, string, Tone])[] = [
  ["fresh", "fresh", "good"],
  ["stale", "stale", "warning"],
  ["expired", "expired", "error"],
  ["unread", "without data", "error"],
  ["held", "a sync is held", "warning"],
];
const TYPES: Readonly<Record<string, string>> = {
  files: "files",
  azure: "Azure",
  registry: "the registry of this pldns",
  hub: "a hub",
};
const PAGE = 50;
const EVERY = 5;

export default function SourcesView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [state, cursor] = [query.get("state"), query.get("cursor")];
  const asked = { limit: PAGE, ...(state && { state: [state as State] }), ...(cursor && { cursor }) };
  const read = useResource(
    async (signal) => {
      const [sources, status] = await Promise.all([
        get("/v1/sources", asked, { signal }),
        get("/v1/status", {}, { signal }),
      ]);
      return { ...sources, problems: status.degraded };
    },
    [asked],
    EVERY,
  );
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
        {({ items, next, problems }) => (
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
                { head: "Has", cell: (each) => <Contents source={each} /> },
                { head: "Last sync", cell: (each) => <Sync source={each} /> },
                { head: "Problem", cell: (each) => <Problem source={each} problems={problems} /> },
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
      <Text value={name} /> <span class="quiet">{TYPES[type] ?? type}</span>
      {path && (
        <div class="note">
          <Copy value={path} />
        </div>
      )}
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
      {saved && <div class="note">saved before the last start</div>}
    </>
  );
}

function Contents(props: { source: Source }): JSX.Element {
  const { name, endpoints, vnets } = props.source;
  return (
    <>
      {counted(endpoints, "endpoint")}
      {vnets > 0 && `, ${counted(vnets, "VNet")}`}
      <div class="note">
        <Link class="target" to={href("history", { name, kind: "source" })} title={`Changes of ${name}`}>
          Changes
        </Link>
      </div>
    </>
  );
}

function Sync(props: { source: Source }): JSX.Element {
  const { sync, type } = props.source;
  const results = Object.entries(sync.results).map(([outcome, count]) => `${count} ${outcome}`);
  if (sync.syncing) return <>under way</>;
  return (
    <>
      {sync.duration !== null ? (
        <>took {sync.duration < 1 ? `${Math.round(sync.duration * 1000)} ms` : duration(sync.duration)}</>
      ) : (
        <span class="quiet">{type === "files" ? "read when a file changes" : "at each change"}</span>
      )}
      {sync.next && (
        <div class="note">
          next <When at={sync.next} />
        </div>
      )}
      {results.length > 0 && <div class="note">{results.join(", ")} since the start</div>}
      {sync.absent > 0 && (
        <div class="note">{counted(sync.absent, "resource")} absent, removal not confirmed</div>
      )}
    </>
  );
}
