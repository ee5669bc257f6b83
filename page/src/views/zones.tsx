// Zones that pldns answers, and the names of one zone. The server pages, searches and sorts both.

import type { JSX } from "preact";
import { get, type Reply } from "../api/client";
import { Badge, type Tone } from "../components/badge";
import { Choice, Search } from "../components/filters";
import { Loaded } from "../components/states";
import { PagedTable } from "../components/table";
import { Some, Text } from "../components/text";
import { duration, number } from "../format";
import { href, Link } from "../router";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";
import { Names } from "./zones/names";

type Zone = Reply<"/v1/zones">["items"][number];
type Source = Zone["source"];

const PAGE = 100;
export const SOURCES: Record<Source, readonly [string, Tone]> = {
  endpoints: ["private endpoints", "good"],
  file: ["zone file", "info"],
  "private-dns": ["private DNS zone", "info"],
  configuration: ["configuration only", "neutral"],
};
const UNKNOWN_NAMES: Readonly<Record<string, string>> = {
  public: "asked upstream",
  nxdomain: "do not exist",
  nodata: "have no records",
  servfail: "fail",
};

export default function ZonesView(props: ViewProps): JSX.Element {
  const zone = props.query.get("zone");
  return zone ? <Names zone={zone} query={props.query} /> : <Zones query={props.query} />;
}

function Zones(props: { query: URLSearchParams }): JSX.Element {
  const { query } = props;
  const [search, source, network, cursor] = ["search", "source", "network", "cursor"].map((each) =>
    query.get(each),
  );
  const order = query.get("order") === "names" ? ("names" as const) : ("text" as const);
  const asked = {
    limit: PAGE,
    order,
    ...(search && { search }),
    ...(source && { source: [source as Source] }),
    ...(network && { network: [network] }),
    ...(cursor && { cursor }),
  };
  const read = useResource((signal) => get("/v1/zones", asked, { signal }), [asked]);
  return (
    <>
      <div class="filters">
        <Search label="Part of a zone, or a name in it" name="search" hint="shop.blob.core.windows.net" />
        <Choice
          label="Names come from"
          name="source"
          all="everywhere"
          options={(Object.keys(SOURCES) as Source[]).map((each) => [each, SOURCES[each][0]])}
        />
        <NetworkChoice label="Visible to" />
        <Choice label="Sorted by" name="order" all="name" options={[["names", "number of names"]]} />
      </div>
      <Loaded resource={read}>
        {({ items, next }) => (
          <PagedTable<Zone>
            label="Zones"
            rows={items}
            next={next}
            id={(each) => each.zone}
            empty={search || source || network ? "No zone matches." : "pldns answers no zone itself."}
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
              {
                head: "Names come from",
                cell: (each) => <Badge tone={SOURCES[each.source][1]}>{SOURCES[each.source][0]}</Badge>,
              },
              { head: "Names", kind: "number", cell: (each) => number(each.names) },
              {
                head: "Visible to",
                cell: (each) => <Some values={each.networks} total={each.networks_total} />,
              },
              {
                head: "Other names",
                cell: (each) => UNKNOWN_NAMES[each.on_miss] ?? <Text value={each.on_miss} />,
              },
              { head: "TTL", kind: "number", cell: (each) => duration(each.ttl) },
            ]}
          />
        )}
      </Loaded>
      <p class="note">
        Other names: what clients get for a name in the zone that pldns does not have. TTL: how long clients
        may keep an answer.
      </p>
    </>
  );
}

/** A choice among the networks. */
export function NetworkChoice(props: { label: string }): JSX.Element {
  const networks = useResource((signal) => get("/v1/networks", { limit: 1000 }, { signal }), []);
  return (
    <Choice
      label={props.label}
      name="network"
      all="every network"
      options={(networks.data?.items ?? []).map((each) => [each.name, each.name])}
    />
  );
}
