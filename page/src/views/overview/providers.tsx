// Where data comes from: the sources of endpoints, and the upstream servers.

import type { JSX } from "preact";
import { get, type Reply } from "../../api/client";
import type { Overview } from "../../api/schema";
import { Badge, type Tone } from "../../components/badge";
import { Table } from "../../components/table";
import { Text, When } from "../../components/text";
import { counted, number } from "../../format";
import { href, Link } from "../../router";
import { useResource } from "../../state/resource";

type Source = Overview["sources"][number];
type Upstream = Overview["upstreams"][number];
type Server = Reply<"/v1/upstreams">["items"][number];

const EVERY = 15;
const SERVERS = 500;

export function Sources(props: { shown: Overview }): JSX.Element {
  const { sources, sources_total } = props.shown;
  return (
    <section aria-labelledby="sources">
      <h2 id="sources">Sources</h2>
      <Table<Source>
        label="Sources"
        rows={sources}
        id={(each) => each.name}
        empty="No source is configured: only zone files and upstream servers answer."
        columns={[
          {
            head: "Name",
            kind: "main",
            cell: (each) => (
              <Link to={href("sources")}>
                <Text value={each.name} />
              </Link>
            ),
          },
          { head: "Type", cell: (each) => <Text value={each.type} /> },
          { head: "State", cell: (each) => <SourceState source={each} /> },
          { head: "Last read", cell: (each) => <When at={each.last_success} /> },
        ]}
      />
      {sources_total > sources.length && (
        <p class="quiet">
          <Link to={href("sources")}>{counted(sources_total - sources.length, "more source")}</Link>
        </p>
      )}
    </section>
  );
}

function SourceState(props: { source: Source }): JSX.Element {
  const { held, freshness, last_error, unreadable, syncing } = props.source;
  const tone: Tone = held || freshness === "stale" ? "warning" : freshness === "fresh" ? "good" : "error";
  return (
    <>
      <Badge tone={tone}>{held ? "held" : (freshness ?? "unread")}</Badge>
      {syncing && <span class="quiet"> syncing</span>}
      {held && (
        <div>
          <Link to={href("sources", { state: "held" })}>Accept or drop the sync</Link>
        </div>
      )}
      {unreadable > 0 && <div class="note">{counted(unreadable, "part")} cannot be read</div>}
      {last_error && (
        <div class="note">
          <Text value={last_error} />
        </div>
      )}
    </>
  );
}

export function Upstreams(props: { shown: Overview }): JSX.Element {
  const servers = useResource((signal) => get("/v1/upstreams", { limit: SERVERS }, { signal }), [], EVERY);
  return (
    <section aria-labelledby="upstreams">
      <h2 id="upstreams">Upstream servers</h2>
      <Table<Upstream>
        label="Upstream servers"
        rows={props.shown.upstreams}
        id={(each) => each.group}
        empty="No upstream server was asked yet."
        columns={[
          {
            head: "Group",
            kind: "main",
            cell: (each) => (
              <Link to={href("upstreams", { name: each.group })}>
                <Text value={each.group} />
              </Link>
            ),
          },
          { head: "Servers", kind: "number", cell: (each) => number(each.servers) },
          { head: "Fastest", kind: "number", cell: (each) => fastest(servers.data?.items ?? [], each.group) },
          { head: "State", cell: (each) => <UpstreamState group={each} /> },
        ]}
      />
    </section>
  );
}

/** Return the shortest round trip to a server of a group. */
function fastest(servers: readonly Server[], group: string): string {
  const times = servers.flatMap((each) =>
    each.group === group && each.up && each.round_trip_ms !== null ? [each.round_trip_ms] : [],
  );
  return times.length ? `${number(Math.min(...times))} ms` : "–";
}

function UpstreamState(props: { group: Upstream }): JSX.Element {
  const { down, servers } = props.group;
  if (!down.length) return <Badge tone="good">up</Badge>;
  return (
    <>
      <Badge tone={down.length === servers ? "error" : "warning"}>down</Badge>{" "}
      <Text value={down.join(", ")} />
    </>
  );
}
