// Live queries: what clients ask now, the newest first. Workers filter, so a filter misses no query.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get } from "../api/client";
import { Badge, type Tone } from "../components/badge";
import { Choice, Search } from "../components/filters";
import { ErrorBox } from "../components/states";
import { Table, type Column } from "../components/table";
import { Copy, Text } from "../components/text";
import { absolute, counted, number } from "../format";
import { href, Link } from "../router";
import { useMay } from "../state/identity";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";
import { MOST, useQueries, type Origin, type Query } from "./queries/stream";

/** The most rows that are drawn while queries arrive. A pause shows all that are kept. */
const DRAWN = 50;
/** Records that a row shows. */
const LISTED = 2;
const RCODES = ["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"];
const ORIGINS: Record<Origin, readonly [string, Tone]> = {
  endpoint: ["private endpoint", "good"],
  zone: ["zone", "good"],
  fallback: ["fell back to public", "warning"],
  upstream: ["upstream server", "neutral"],
  pldns: ["pldns itself", "neutral"],
};
const SLOW = [
  ["0.01", "10 ms or more"],
  ["0.1", "100 ms or more"],
  ["1", "1 s or more"],
] as const;
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const FILTERS = ["name", "client", "rcode", "network", "seconds"] as const;

export default function QueriesView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [paused, setPaused] = useState(false);
  const seesClients = useMay("operate");
  const origin = query.get("origin") ?? "";
  const filters = {
    ...Object.fromEntries(FILTERS.map((each) => [each, query.get(each) ?? ""])),
    origin:
      origin === "private" ? ["endpoint", "zone"] : origin === "public" ? ["upstream", "fallback"] : origin,
  };
  const { rows, waiting, dropped, rate, error, retry, clear } = useQueries(filters, paused);
  const networks = useResource((signal) => get("/v1/networks", { limit: 1000 }, { signal }), []);
  const names = networks.data?.items.map((each) => each.name) ?? [];
  const shown = paused ? rows : rows.slice(0, DRAWN);
  return (
    <>
      <div class="filters">
        <Search label="Name, and names below it" name="name" hint="blob.core.windows.net" />
        <Search label="Client: an address or a prefix" name="client" hint="10.1.0.0/16" />
        <Choice
          label="Network"
          name="network"
          all="every network"
          options={[...new Set([...names, "none"])].map((each) => [each, each])}
        />
        <Choice
          label="Answered from"
          name="origin"
          all="everywhere"
          options={[
            ["private", "private data"],
            ["public", "the internet"],
            ...(Object.keys(ORIGINS) as Origin[]).map((each) => [each, ORIGINS[each][0]] as const),
          ]}
        />
        <Choice label="Reply" name="rcode" all="every rcode" options={RCODES.map((each) => [each, each])} />
        <Choice label="Slow queries" name="seconds" all="slow and fast" options={SLOW} />
      </div>
      <div class="live-state">
        <button
          type="button"
          class="primary"
          aria-pressed={paused}
          onClick={() => {
            setPaused(!paused);
          }}
        >
          {paused ? "Go on" : "Pause"}
        </button>
        <button type="button" onClick={clear}>
          Clear
        </button>
        <p>
          <strong>{number(rate)}</strong> per second
          {paused && (
            <>
              {" · "}
              <strong class="paused">paused</strong>, {counted(waiting, "query", "queries")} since
              {waiting > MOST && <span class="quiet"> (the newest {number(MOST)} are kept)</span>}
            </>
          )}
          {dropped > 0 && (
            <>
              {" · "}
              <Badge tone="warning">{`${number(dropped)} not shown`}</Badge>{" "}
              <span class="quiet">there were too many: a filter helps</span>
            </>
          )}
          {!paused && rows.length > DRAWN && (
            <span class="quiet">
              {" "}
              · the newest {DRAWN} of {number(rows.length)}: a pause shows all
            </span>
          )}
        </p>
      </div>
      {error && <ErrorBox error={error} retry={retry} />}
      {!seesClients && (
        <p class="note">
          Your role sees the network around each client, such as 10.1.0.0/24, in place of its address. The
          role operate sees addresses.
        </p>
      )}
      <Table<Query>
        label="Live queries"
        rows={shown}
        id={(each) => String(each.id)}
        empty={
          Object.values(filters).some((each) => each.length)
            ? "No query has matched the filters since this view was opened."
            : "No query has arrived since this view was opened."
        }
        columns={COLUMNS}
      />
    </>
  );
}

const COLUMNS: readonly Column<Query>[] = [
  { head: "Time", cell: (each) => <Moment at={each.at} /> },
  {
    head: "Name",
    kind: "main",
    cell: (each) => (
      <>
        <Link
          to={href("explain", { name: each.name, type: each.type, client: asker(each) })}
          title="Explain this answer"
        >
          <Text value={each.name} />
        </Link>{" "}
        <span class="quiet">{each.type}</span>
      </>
    ),
  },
  { head: "Answer", cell: (each) => <Answer query={each} /> },
  {
    head: "Answered from",
    cell: (each) => <Badge tone={ORIGINS[each.origin][1]}>{ORIGINS[each.origin][0]}</Badge>,
  },
  { head: "Client", cell: (each) => <Text value={each.client} /> },
  { head: "Network", cell: (each) => <Text value={each.network || "may not ask"} /> },
  {
    head: "Took",
    kind: "number",
    cell: (each) => (
      <span title={`over ${each.proto}, ${number(each.octets)} octets`}>
        {each.seconds < 0.0001 ? "<0.1" : number(each.seconds * 1000)} ms
      </span>
    ),
  },
];

function Answer(props: { query: Query }): JSX.Element {
  const { rcode, answer, type } = props.query;
  if (rcode !== "NOERROR") return <Badge tone={rcode === "NXDOMAIN" ? "neutral" : "error"}>{rcode}</Badge>;
  if (answer === null) return <span class="quiet">a long reply</span>;
  // A chain of CNAMEs ends in what the client wants, or in nothing.
  const records = type === "CNAME" ? answer : answer.filter((each) => !each.startsWith("CNAME "));
  if (!records.length) {
    return (
      <span class="quiet" title={answer.join("\n")}>
        no such record
      </span>
    );
  }
  return (
    <span title={answer.join("\n")}>
      {records.slice(0, LISTED).map((each, index) => (
        <span key={each}>
          {index > 0 && ", "}
          <Copy value={each.slice(each.indexOf(" ") + 1)} />
        </span>
      ))}
      {records.length > LISTED && <span class="quiet"> and {records.length - LISTED} more</span>}
    </span>
  );
}

function Moment(props: { at: string }): JSX.Element {
  const time = new Date(props.at);
  return (
    <time dateTime={props.at} title={absolute(time)}>
      {TIME.format(time)}
    </time>
  );
}

/** Return the client to explain the query for: its address, or its network where the role sees no address. */
function asker(query: Query): string {
  if (!query.client.includes("/")) return query.client;
  return query.network === "none" ? "" : query.network;
}
