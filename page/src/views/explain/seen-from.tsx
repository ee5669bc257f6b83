// One name as clients of every network get it, in one table. Answers that differ from the one above are marked.

import type { JSX } from "preact";
import { ApiError, get, type Query } from "../../api/client";
import { Badge } from "../../components/badge";
import { EndpointLink } from "../../components/object-link";
import { Loaded } from "../../components/states";
import { Table } from "../../components/table";
import { Copy, Some, Text } from "../../components/text";
import { counted } from "../../format";
import { href, Link } from "../../router";
import { useResource } from "../../state/resource";
import { type Explanation, gist, outcome, recordsOf, winners } from "./outcome";

interface Seen {
  readonly network: string;
  readonly found?: Explanation;
  readonly problem?: string;
}

/** Networks of the table, and questions at a time. */
const MOST = 50;
const AT_ONCE = 4;

export function SeenFrom(props: { name: string; type: string; present: Explanation }): JSX.Element {
  const { name, type, present } = props;
  const rows = useResource((signal) => read(name, type, signal), [name, type]);
  return (
    <section aria-labelledby="seen">
      <h2 id="seen">As seen from each network</h2>
      <Loaded resource={rows}>
        {({ seen, more }) => (
          <>
            <Summary seen={seen} present={present} />
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
                    <Link class="target" to={href("explain", { name, type, client: each.network })}>
                      <Text value={each.network} />
                    </Link>
                  ),
                },
                { head: "Answer", cell: (each) => <Answer seen={each} present={present} /> },
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

function Summary(props: { seen: readonly Seen[]; present: Explanation }): JSX.Element | null {
  const others = props.seen.filter((each) => differs(each, props.present)).map((each) => each.network);
  if (!props.seen.length) return null;
  return (
    <p class="summary">
      {others.length ? (
        <>
          Another answer in <Some values={others.slice(0, 8)} total={others.length} />.
        </>
      ) : (
        "The same answer in every network."
      )}
    </p>
  );
}

function differs(seen: Seen, present: Explanation): boolean {
  return seen.found === undefined || gist(seen.found) !== gist(present);
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

function Answer(props: { seen: Seen; present: Explanation }): JSX.Element {
  const { seen, present } = props;
  if (!seen.found) return <Text value={seen.problem ?? ""} />;
  const { tone, word } = outcome(seen.found);
  const isOther = differs(seen, present);
  return (
    <>
      <Badge tone={tone}>{word}</Badge>
      {isOther && <mark>differs</mark>}
      {recordsOf(seen.found).map((each) => (
        <div key={`${each.type} ${each.data}`} class={isOther ? "other" : undefined}>
          <Copy value={each.data} /> <span class="quiet">{each.type}</span>
        </div>
      ))}
    </>
  );
}

function Winner(props: { seen: Seen }): JSX.Element {
  const won = props.seen.found ? winners(props.seen.found) : [];
  if (!won.length) return <span class="quiet">none</span>;
  return (
    <>
      {won.map((each) => (
        <div key={each.endpoint}>
          <EndpointLink id={each.endpoint} />
        </div>
      ))}
    </>
  );
}
