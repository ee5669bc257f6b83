// The overview: the health of pldns in a sentence, the main numbers, and the last hour.

import type { JSX } from "preact";
import { get } from "../api/client";
import type { Overview, Severity } from "../api/schema";
import { Badge, SeverityBadge, type Tone } from "../components/badge";
import { Chart } from "../components/chart";
import { Empty, Loaded, Loading } from "../components/states";
import { Table } from "../components/table";
import { Copy, Text, When } from "../components/text";
import { counted, number, share } from "../format";
import { href, Link } from "../router";
import { overview } from "../state/live";
import { useResource } from "../state/resource";
import { useStore } from "../state/store";

type Source = Overview["sources"][number];
type Upstream = Overview["upstreams"][number];
type Fallback = Overview["fallbacks"][number];

const SEVERITIES: readonly Severity[] = ["error", "warning", "info"];
const HEALTH: Record<Overview["health"]["state"], { tone: Tone; word: string }> = {
  good: { tone: "good", word: "ready" },
  degraded: { tone: "warning", word: "degraded" },
  bad: { tone: "error", word: "not healthy" },
};

export default function OverviewView(): JSX.Element {
  const shown = useStore(overview);
  if (!shown) return <Loading />;
  return (
    <>
      <Health shown={shown} />
      <Facts shown={shown} />
      <LastHour />
      <div class="columns">
        <section aria-labelledby="sources">
          <h2 id="sources">Sources</h2>
          <Sources shown={shown} />
        </section>
        <section aria-labelledby="upstreams">
          <h2 id="upstreams">Upstream groups</h2>
          <Upstreams shown={shown} />
        </section>
      </div>
      <section aria-labelledby="fallbacks">
        <h2 id="fallbacks">Names that fell back to public answers</h2>
        <Fallbacks shown={shown} />
      </section>
      <p class="quiet">
        pldns <Text value={shown.version} />, started <When at={shown.started} />, state{" "}
        {number(shown.serial)}
      </p>
    </>
  );
}

function Health(props: { shown: Overview }): JSX.Element {
  const { health } = props.shown;
  const { tone, word } = HEALTH[health.state];
  const more = health.reasons_total - health.reasons.length;
  return (
    <section class={`health ${health.state}`} aria-label="Health">
      <p>
        <Badge tone={tone}>{word}</Badge> <Text value={health.sentence} />
      </p>
      {health.reasons_total > 1 && (
        <ul>
          {health.reasons.map((each) => (
            <li key={each}>
              <Text value={each} />
            </li>
          ))}
          {more > 0 && <li class="quiet">{counted(more, "more reason")}</li>}
        </ul>
      )}
    </section>
  );
}

function Facts(props: { shown: Overview }): JSX.Element {
  const { counts, traffic } = props.shown;
  return (
    <dl class="facts">
      <Fact name="Endpoints" value={number(counts.endpoints)} note={`${number(counts.served)} served`} />
      <Fact name="Names" value={number(counts.names)} note={counted(counts.networks, "network")} />
      <div>
        <dt>Open findings</dt>
        <dd class="severities">
          {SEVERITIES.map((each) => (
            <Link key={each} to={href("findings", { severity: each })} class="severity-count">
              <SeverityBadge severity={each} /> {number(counts.findings[each] ?? 0)}
            </Link>
          ))}
        </dd>
        <dd class="note">{number(counts.acknowledged)} acknowledged</dd>
      </div>
      <Fact
        name="Private answers per second"
        value={number(traffic.private_per_second)}
        note={`of ${number(traffic.queries_per_second)} queries`}
      />
      <Fact
        name="Public answers per second"
        value={number(traffic.public_per_second)}
        note={`${number(traffic.failed_per_second)} failed`}
      />
      <Fact name="Cache hits" value={share(traffic.cache_hit_ratio)} note="of the last minute" />
    </dl>
  );
}

function Fact(props: { name: string; value: string; note: string }): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd class="value">{props.value}</dd>
      <dd class="note">{props.note}</dd>
    </div>
  );
}

function LastHour(): JSX.Element {
  const traffic = useResource((signal) => get("/v1/traffic", {}, { signal }), [], 30);
  return (
    <section aria-labelledby="hour">
      <h2 id="hour">Last hour</h2>
      <Loaded resource={traffic}>
        {({ points }) => {
          const times = points.map((each) => new Date(each.at));
          const rate = (count: number, seconds: number): number => (seconds ? count / seconds : 0);
          const per = (key: "private" | "public" | "failed"): number[] =>
            points.map((each) => rate(each[key], each.seconds));
          const hits = points.map(({ hits, misses }) => (hits + misses ? hits / (hits + misses) : null));
          if (!points.length) return <Empty>The first point appears within a minute.</Empty>;
          return (
            <div class="charts">
              <Chart
                title="Answers per second"
                times={times}
                series={[
                  { name: "private", kind: "first", values: per("private") },
                  { name: "public", kind: "second", values: per("public") },
                ]}
              />
              <Chart
                title="Cache hits"
                times={times}
                series={[{ name: "hits", kind: "second", values: hits }]}
                format={share}
                top={1}
              />
              <Chart
                title="Failed answers per second"
                times={times}
                series={[{ name: "failed", kind: "third", values: per("failed") }]}
              />
            </div>
          );
        }}
      </Loaded>
    </section>
  );
}

function Sources(props: { shown: Overview }): JSX.Element {
  const { sources, sources_total } = props.shown;
  return (
    <>
      <Table<Source>
        label="Sources"
        rows={sources}
        id={(each) => each.name}
        empty="No source is configured: only zone files and upstream servers answer."
        columns={[
          { head: "Name", kind: "main", cell: (each) => <Text value={each.name} /> },
          { head: "Type", cell: (each) => each.type },
          { head: "State", cell: (each) => <SourceState source={each} /> },
          { head: "Last read", cell: (each) => <When at={each.last_success} /> },
        ]}
      />
      {sources_total > sources.length && (
        <p class="quiet">{counted(sources_total - sources.length, "more source")}</p>
      )}
    </>
  );
}

function SourceState(props: { source: Source }): JSX.Element {
  const { held, freshness, last_error, unreadable, syncing } = props.source;
  const tone: Tone = held || freshness === "stale" ? "warning" : freshness === "fresh" ? "good" : "error";
  return (
    <>
      <Badge tone={tone}>{held ? "held" : (freshness ?? "unread")}</Badge>
      {syncing && <span class="quiet"> syncing</span>}
      {unreadable > 0 && <div class="note">{counted(unreadable, "part")} cannot be read</div>}
      {last_error && (
        <div class="note">
          <Text value={last_error} />
        </div>
      )}
    </>
  );
}

function Upstreams(props: { shown: Overview }): JSX.Element {
  return (
    <Table<Upstream>
      label="Upstream groups"
      rows={props.shown.upstreams}
      id={(each) => each.group}
      empty="No upstream server was asked yet."
      columns={[
        { head: "Group", kind: "main", cell: (each) => <Text value={each.group} /> },
        { head: "Servers", kind: "number", cell: (each) => number(each.servers) },
        {
          head: "State",
          cell: (each) =>
            each.down.length ? (
              <>
                <Badge tone={each.down.length === each.servers ? "error" : "warning"}>down</Badge>{" "}
                <Text value={each.down.join(", ")} />
              </>
            ) : (
              <Badge tone="good">up</Badge>
            ),
        },
      ]}
    />
  );
}

function Fallbacks(props: { shown: Overview }): JSX.Element {
  const { fallbacks, fallbacks_total } = props.shown;
  return (
    <>
      <Table<Fallback>
        label="Names that fell back to public answers"
        rows={fallbacks}
        id={(each) => `${each.name} ${each.network} ${each.zone}`}
        empty="No name of a private zone was answered by an upstream server."
        columns={[
          { head: "Name", kind: "main", cell: (each) => <Copy value={each.name} /> },
          { head: "Network", cell: (each) => <Text value={each.network} /> },
          { head: "Queries", kind: "number", cell: (each) => number(each.count) },
          { head: "Last", cell: (each) => <When at={each.last} /> },
        ]}
      />
      {fallbacks_total > fallbacks.length && (
        <p class="quiet">{counted(fallbacks_total - fallbacks.length, "more name")}</p>
      )}
    </>
  );
}
