// One name as clients of every network get it, in one table.

import type { JSX } from "preact";
import { ApiError, get, type Query } from "../api/client";
import type { Schemas } from "../api/schema";
import { Badge } from "../components/badge";
import { Loaded } from "../components/states";
import { Table } from "../components/table";
import { Copy, ResourceId, Text } from "../components/text";
import { counted } from "../format";
import { href, Link } from "../router";
import { useResource } from "../state/resource";
import { outcome } from "./explain";

type Explanation = Schemas["Explanation"];

interface Seen {
  readonly network: string;
  readonly found?: Explanation;
  readonly problem?: string;
}

/** Networks of the table, and questions at a time. */
const MOST = 50;
const AT_ONCE = 4;

export function SeenFrom(props: { name: string; type: string }): JSX.Element {
  const { name, type } = props;
  const rows = useResource((signal) => read(name, type, signal), [name, type]);
  return (
    <section aria-labelledby="seen">
      <h2 id="seen">As seen from each network</h2>
      <Loaded resource={rows}>
        {({ seen, more }) => (
          <>
            <Table<Seen>
              label="The name as seen from each network"
              rows={seen}
              id={(each) => each.network}
              empty="No network is configured: all clients get the answer above."
              columns={[
                {
                  head: "Network",
                  kind: "main",
                  cell: (each) => (
                    <Link to={href("explain", { name, type, client: each.network })}>
                      <Text value={each.network} />
                    </Link>
                  ),
                },
                { head: "Answer", cell: (each) => <Answer seen={each} /> },
                { head: "Endpoint", cell: (each) => <Winner seen={each} /> },
                { head: "Decided by", cell: (each) => each.found?.row ?? "" },
              ]}
            />
            {more > 0 && <p class="quiet">{counted(more, "more network")}</p>}
          </>
        )}
      </Loaded>
    </section>
  );
}

async function read(
  name: string,
  type: string,
  signal: AbortSignal,
): Promise<{ seen: Seen[]; more: number }> {
  const { items } = await get("/v1/networks", { limit: 1000 }, { signal });
  const names = items.filter((each) => each.clients.length).map((each) => each.name);
  const seen: Seen[] = [];
  const left = names.slice(0, MOST);
  const work = async (): Promise<void> => {
    for (let network = left.shift(); network !== undefined; network = left.shift()) {
      const asked: Query<"/v1/explain"> = { name, client: network, ...(type ? { type } : {}) };
      try {
        seen.push({ network, found: await get("/v1/explain", asked, { signal }) });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        seen.push({ network, problem: error.message });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  seen.sort((one, other) => names.indexOf(one.network) - names.indexOf(other.network));
  return { seen, more: names.length - seen.length };
}

function Answer(props: { seen: Seen }): JSX.Element {
  const { found, problem } = props.seen;
  if (!found) return <Text value={problem ?? ""} />;
  const { tone, word } = outcome(found);
  const data = found.answer?.answer.map((each) => each.split(/\s+/).slice(3).join(" ")) ?? [];
  return (
    <>
      <Badge tone={tone}>{word}</Badge>
      {data.map((each) => (
        <div key={each}>
          <Copy value={each} />
        </div>
      ))}
    </>
  );
}

function Winner(props: { seen: Seen }): JSX.Element {
  const won =
    props.seen.found?.steps.flatMap((each) => each.claims).filter((each) => each.standing === "won") ?? [];
  const endpoints = [...new Set(won.map((each) => each.endpoint))];
  if (!endpoints.length) return <span class="quiet">none</span>;
  return (
    <>
      {endpoints.map((each) => (
        <div key={each}>
          <ResourceId value={each} />
        </div>
      ))}
    </>
  );
}
