// Live queries: what clients ask now, the newest first. The filters run in the workers, so no query is missed by a
// filter. The page keeps the newest rows only.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { address, ApiError, get, refusal } from "../api/client";
import { Badge, type Tone } from "../components/badge";
import { Choice, Search } from "../components/filters";
import { ErrorBox } from "../components/states";
import { Table } from "../components/table";
import { Text } from "../components/text";
import { absolute, counted, number } from "../format";
import { href, Link } from "../router";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";

/** The data of an event `query` of `/v1/queries`. */
interface Query {
  readonly id: number;
  readonly at: string;
  readonly proto: string;
  readonly client: string;
  readonly network: string;
  readonly name: string;
  readonly type: string;
  readonly rcode: string;
  readonly octets: number;
  readonly seconds: number;
}

/** The most rows on the page, and how often it draws new ones, in milliseconds. */
const MOST = 500;
const DRAWN = 500;
const RCODES = ["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"];
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export default function QueriesView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [paused, setPaused] = useState(false);
  const filters = {
    name: query.get("name") ?? "",
    client: query.get("client") ?? "",
    rcode: query.get("rcode") ?? "",
    network: query.get("network") ?? "",
  };
  const { rows, dropped, error, retry, clear } = useQueries(filters, paused);
  const networks = useResource((signal) => get("/v1/networks", { limit: 1000 }, { signal }), []);
  const names = networks.data?.items.map((each) => each.name) ?? [];
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
        <Choice label="Reply" name="rcode" all="every rcode" options={RCODES.map((each) => [each, each])} />
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
      </div>
      {error && <ErrorBox error={error} retry={retry} />}
      <p class="note">
        {paused
          ? "Paused: queries that are answered now are not shown later."
          : `The newest ${number(MOST)} queries, as they are answered.`}
        {dropped > 0 &&
          ` ${counted(dropped, "query was", "queries were")} left out, because there were too many.`}
      </p>
      <Table<Query>
        label="Live queries"
        rows={rows}
        id={(each) => String(each.id)}
        empty="No query has matched since this view was opened."
        columns={[
          { head: "Time", cell: (each) => <Moment at={each.at} /> },
          {
            head: "Name",
            kind: "main",
            cell: (each) => (
              <Link to={href("explain", { name: each.name, type: each.type, client: asked(each) })}>
                <Text value={each.name} />
              </Link>
            ),
          },
          { head: "Type", cell: (each) => <Text value={each.type} /> },
          { head: "Reply", cell: (each) => <Badge tone={tone(each.rcode)}>{each.rcode}</Badge> },
          { head: "Client", cell: (each) => <Text value={each.client} /> },
          { head: "Network", cell: (each) => <Text value={each.network || "may not ask"} /> },
          { head: "Over", cell: (each) => <Text value={each.proto} /> },
          { head: "ms", kind: "number", cell: (each) => number(each.seconds * 1000) },
          { head: "Octets", kind: "number", cell: (each) => number(each.octets) },
        ]}
      />
    </>
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
function asked(query: Query): string {
  if (!query.client.includes("/")) return query.client;
  return query.network === "none" ? "" : query.network;
}

function tone(rcode: string): Tone {
  if (rcode === "NOERROR") return "good";
  return rcode === "NXDOMAIN" ? "neutral" : "error";
}

/** Follow the queries that match. `paused`: without a connection. */
function useQueries(
  filters: Readonly<Record<string, string>>,
  paused: boolean,
): {
  rows: readonly Query[];
  dropped: number;
  error: ApiError | undefined;
  retry: () => void;
  clear: () => void;
} {
  const [rows, setRows] = useState<readonly Query[]>([]);
  const [dropped, setDropped] = useState(0);
  const [error, setError] = useState<ApiError>();
  const [round, setRound] = useState(0);
  const last = useRef(0);
  const key = JSON.stringify(filters);
  const clear = (): void => {
    setRows([]);
    setDropped(0);
  };
  useEffect(clear, [key]);
  useEffect(() => {
    setError(undefined);
    if (paused) return undefined;
    const arrived: Query[] = [];
    const url = address("/v1/queries", {}, filters);
    const source = new EventSource(url);
    source.addEventListener("query", (event: MessageEvent<string>) => {
      last.current += 1;
      arrived.push({ ...(JSON.parse(event.data) as Query), id: last.current });
      if (arrived.length > MOST) arrived.shift();
    });
    source.addEventListener("dropped", (event: MessageEvent<string>) => {
      const { count } = JSON.parse(event.data) as { count: number };
      setDropped((before) => before + count);
    });
    source.addEventListener("open", () => {
      setError(undefined);
    });
    source.addEventListener("error", () => {
      // The browser itself connects again after a lost connection; after a refusal it does not.
      if (source.readyState !== EventSource.CLOSED) return;
      void refusal(url).then((why) => {
        setError(why ?? new ApiError(0, "", "The connection has ended."));
      });
    });
    const timer = setInterval(() => {
      if (!arrived.length) return;
      const added = arrived.splice(0).reverse();
      setRows((before) => [...added, ...before].slice(0, MOST));
    }, DRAWN);
    return () => {
      source.close();
      clearInterval(timer);
    };
  }, [key, paused, round]);
  const retry = (): void => {
    setRound(round + 1);
  };
  return { rows, dropped, error, retry, clear };
}
