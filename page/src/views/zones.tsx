// Zones that pldns answers, and the names of one zone with their answers in each network. The server pages both.

import type { JSX } from "preact";
import { get, type Reply } from "../api/client";
import { Badge } from "../components/badge";
import { Search } from "../components/filters";
import { Loaded } from "../components/states";
import { PagedTable } from "../components/table";
import { Copy, ResourceId, Some, Text } from "../components/text";
import { duration, number } from "../format";
import { href, Link } from "../router";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";

type Zone = Reply<"/v1/zones">["items"][number];
type Name = Reply<"/v1/zones/{zone}/records">["items"][number];
type Answer = Name["answers"][number];

const PAGE = 100;
const SOURCES: Record<Zone["source"], string> = {
  endpoints: "endpoints",
  file: "a zone file",
  "private-dns": "a private DNS zone",
  configuration: "the configuration",
};

export default function ZonesView(props: ViewProps): JSX.Element {
  const zone = props.query.get("zone");
  return zone ? <Names zone={zone} query={props.query} /> : <Zones query={props.query} />;
}

/** Return the page that the address asks for, with its filters. */
function page(query: URLSearchParams): {
  limit: number;
  name?: string[];
  network?: string[];
  cursor?: string;
} {
  const [name, network, cursor] = [query.get("name"), query.get("network"), query.get("cursor")];
  return {
    limit: PAGE,
    ...(name && { name: [name] }),
    ...(network && { network: [network] }),
    ...(cursor && { cursor }),
  };
}

function Zones(props: { query: URLSearchParams }): JSX.Element {
  const asked = page(props.query);
  const read = useResource((signal) => get("/v1/zones", asked, { signal }), [asked]);
  return (
    <>
      <div class="filters">
        <Search label="The zone of a name" name="name" hint="shop.blob.core.windows.net" />
        <Search label="Visible to the network" name="network" hint="the whole name" />
      </div>
      <Loaded resource={read}>
        {({ items, next }) => (
          <PagedTable<Zone>
            label="Zones"
            rows={items}
            next={next}
            id={(each) => each.zone}
            empty="No zone matches."
            columns={[
              {
                head: "Zone",
                kind: "main",
                cell: (each) => (
                  <Link class="target" to={href("zones", { zone: each.zone })}>
                    <Text value={each.zone} />
                  </Link>
                ),
              },
              { head: "From", cell: (each) => SOURCES[each.source] },
              { head: "Names", kind: "number", cell: (each) => number(each.names) },
              {
                head: "Visible to",
                cell: (each) => <Some values={each.networks} total={each.networks_total} />,
              },
              { head: "TTL", kind: "number", cell: (each) => duration(each.ttl) },
              { head: "Without the name", cell: (each) => <Text value={each.on_miss} /> },
              { head: "Form", cell: (each) => <Text value={each.chain} /> },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}

function Names(props: { zone: string; query: URLSearchParams }): JSX.Element {
  const { zone, query } = props;
  const asked = page(query);
  const read = useResource(
    (signal) => get("/v1/zones/{zone}/records", asked, { parts: { zone }, signal }),
    [zone, asked],
  );
  return (
    <>
      <p>
        <Link class="target" to={href("zones")}>
          All zones
        </Link>
      </p>
      <h2>
        <Copy value={zone} />
      </h2>
      <div class="filters">
        <Search label="Name" name="name" hint="the whole name" />
        <Search label="Answered in the network" name="network" hint="the whole name" />
      </div>
      <Loaded resource={read}>
        {({ items, next }) => (
          <PagedTable<Name>
            label={`Names of ${zone}`}
            rows={items}
            next={next}
            id={(each) => each.name}
            empty="No name matches."
            columns={[
              {
                head: "Name",
                kind: "main",
                cell: (each) => (
                  <>
                    <Link class="target" to={href("explain", { name: each.public[0] ?? each.name })}>
                      <Text value={each.name} />
                    </Link>
                    {each.public.map((name) => (
                      <div key={name} class="note">
                        for <Copy value={name} />
                      </div>
                    ))}
                  </>
                ),
              },
              { head: "Answers", cell: (each) => <Answers answers={each.answers} /> },
              {
                head: "History",
                cell: (each) => (
                  <Link
                    class="target word"
                    to={href("history", { name: each.name })}
                    title={`History of ${each.name}`}
                  >
                    History
                  </Link>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}

function Answers(props: { answers: readonly Answer[] }): JSX.Element {
  return (
    <>
      {props.answers.map((each, index) => (
        <div key={index}>
          {each.rcode !== "NOERROR" && <Badge tone="error">{each.rcode}</Badge>}
          {each.type && <span class="quiet">{each.type} </span>}
          {each.data.map((data) => (
            <span key={data}>
              <Copy value={data} />{" "}
            </span>
          ))}
          <span class="note">
            in <Some values={each.networks} total={each.networks_total} />
            {each.endpoints.map((endpoint) => (
              <span key={endpoint}>
                {" "}
                from <ResourceId value={endpoint} />
              </span>
            ))}
            {each.losers.length > 0 && ` · ${each.losers.length} more claim it; decided by ${each.rule}`}
          </span>
        </div>
      ))}
    </>
  );
}
