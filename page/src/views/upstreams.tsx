// Upstream servers by group: their health over all workers, why one is down, and what each worker knows on demand.

import type { JSX } from "preact";
import { get } from "../api/client";
import { Badge, type Tone } from "../components/badge";
import { Choice, Search } from "../components/filters";
import { Loaded } from "../components/states";
import { PagedTable, Table } from "../components/table";
import { Copy, Text, useNow, When } from "../components/text";
import { counted, duration, number } from "../format";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";
import { servers, type Seen, type Server } from "./upstreams/servers";

const PAGE = 1000;
const EVERY = 5;
const STATES: Record<Server["state"], readonly [string, Tone]> = {
  up: ["answers", "good"],
  partly: ["down for some workers", "warning"],
  down: ["down", "error"],
  silent: ["no answer yet", "warning"],
  unknown: ["not asked yet", "neutral"],
};

export default function UpstreamsView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [name, state, cursor] = [query.get("name"), query.get("state"), query.get("cursor")];
  const asked = {
    limit: PAGE,
    ...(name && { name: [name] }),
    ...(state && { state: [state as "up" | "down"] }),
    ...(cursor && { cursor }),
  };
  const read = useResource((signal) => get("/v1/upstreams", asked, { signal }), [asked], EVERY);
  return (
    <>
      <div class="filters">
        <Search label="Group or server" name="name" hint="the whole name" />
        <Choice
          label="State"
          name="state"
          all="every state"
          options={[
            ["up", "up"],
            ["down", "down"],
          ]}
        />
      </div>
      <Loaded resource={read}>
        {({ items, next }) => {
          const rows = servers(items);
          return (
            <>
              <Summary rows={rows} />
              <PagedTable<Server>
                label="Upstream servers"
                rows={rows}
                next={next}
                id={(each) => `${each.group} ${each.server}`}
                empty={name || state ? "No upstream server matches." : "No worker answers."}
                columns={[
                  { head: "Server", kind: "main", cell: (each) => <Name server={each} /> },
                  { head: "State", cell: (each) => <State server={each} /> },
                  { head: "Round trip", kind: "number", cell: (each) => milliseconds(each.roundTrip) },
                  { head: "Answers", kind: "number", cell: (each) => number(each.answers) },
                  { head: "Failed", kind: "number", cell: (each) => number(each.failures) },
                  { head: "Waiting", kind: "number", cell: (each) => number(each.waiting) },
                  { head: "Last failure", cell: (each) => <Failure server={each} /> },
                ]}
              />
              <p class="note">
                Answers and failures are counted since the workers started. A server is down after two
                failures in a row: it is asked last, and probed with a query of a client from time to time.
              </p>
              <Workers items={items} />
            </>
          );
        }}
      </Loaded>
    </>
  );
}

/** The state of each group in a sentence, where one has a problem. */
function Summary(props: { rows: readonly Server[] }): JSX.Element | null {
  const groups = [...new Set(props.rows.map((each) => each.group))];
  const lost = groups.filter((group) =>
    props.rows.filter((each) => each.group === group).every((each) => each.state === "down"),
  );
  if (!lost.length) return null;
  return (
    <div class="problem" role="alert">
      {lost.map((group) => (
        <p key={group}>
          No server of the group{" "}
          <strong>
            <Text value={group} />
          </strong>{" "}
          answers: clients get SERVFAIL or expired answers for its names. Check the servers, and the network
          to them.
        </p>
      ))}
    </div>
  );
}

function Name(props: { server: Server }): JSX.Element {
  const { group, server } = props.server;
  const [transport = "", place = server] = server.split("://");
  return (
    <>
      <Copy value={server} shown={place} /> <span class="quiet">{transport.toUpperCase()}</span>
      <div class="note">
        group <Text value={group} />
      </div>
    </>
  );
}

function State(props: { server: Server }): JSX.Element {
  const { state, downSince, nextProbe, workers } = props.server;
  const [word, tone] = STATES[state];
  const down = workers.filter((each) => !each.up).length;
  return (
    <>
      <Badge tone={tone}>{word}</Badge>
      {downSince && (
        <div class="note">
          for {duration((useNow().getTime() - Date.parse(downSince)) / 1000)}
          {state === "partly" && `, for ${down} of ${counted(workers.length, "worker")}`}
        </div>
      )}
      {nextProbe && (
        <div class="note">
          {Date.parse(nextProbe) > Date.now() ? (
            <>
              next probe <When at={nextProbe} />
            </>
          ) : (
            "probed with the next query"
          )}
        </div>
      )}
    </>
  );
}

function Failure(props: { server: Server }): JSX.Element {
  const { failure } = props.server;
  if (!failure) return <span class="quiet">none</span>;
  return (
    <>
      <Text value={failure.why} />
      <div class="note">
        <When at={failure.at} />
      </div>
    </>
  );
}

function Workers(props: { items: readonly Seen[] }): JSX.Element {
  return (
    <details class="more">
      <summary>What each worker knows</summary>
      <Table<Seen>
        label="Upstream servers by worker"
        rows={props.items}
        id={(each) => `${each.worker} ${each.group} ${each.server}`}
        empty="No worker answers."
        columns={[
          { head: "Server", kind: "main", cell: (each) => <Copy value={each.server} /> },
          { head: "Group", cell: (each) => <Text value={each.group} /> },
          { head: "Worker", kind: "number", cell: (each) => each.worker },
          {
            head: "State",
            cell: (each) => <Badge tone={each.up ? "good" : "error"}>{each.up ? "up" : "down"}</Badge>,
          },
          { head: "Round trip", kind: "number", cell: (each) => milliseconds(each.round_trip_ms) },
          { head: "Answers", kind: "number", cell: (each) => number(each.answers) },
          { head: "Failed", kind: "number", cell: (each) => number(each.failures) },
          { head: "DNS cookies", cell: (each) => COOKIES[each.cookie] ?? <Text value={each.cookie} /> },
          { head: "Names without EDNS", kind: "number", cell: (each) => number(each.plain) },
        ]}
      />
    </details>
  );
}

const COOKIES: Readonly<Record<string, string>> = {
  none: "not sent yet",
  client: "not supported",
  server: "in use",
  paused: "paused: one was wrong",
};

function milliseconds(value: number | null): JSX.Element | string {
  return value === null ? <span class="quiet">–</span> : `${number(value)} ms`;
}
