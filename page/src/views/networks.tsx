// Networks: their clients and what these see. An address that somebody types shows whose client it is, and why.

import type { JSX } from "preact";
import { get, type Reply } from "../api/client";
import { Badge } from "../components/badge";
import { Search } from "../components/filters";
import { Loaded } from "../components/states";
import { PagedTable } from "../components/table";
import { Copy, ResourceId, Some, Text } from "../components/text";
import { href, Link } from "../router";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";
import { ClientMatch } from "./networks/client";
import { NetworkDetail } from "./networks/detail";

export type Network = Reply<"/v1/networks">["items"][number];

const PAGE = 50;
const EVERY = 10;
/** The network of clients in no network; it lists the prefixes that are ambiguous. */
const NO_NETWORK = "none";

export default function NetworksView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [client, network] = [query.get("client"), query.get("network")];
  return (
    <>
      <div class="filters">
        <Search label="Whose client is this address?" name="client" hint="10.1.2.3" />
      </div>
      {client && <ClientMatch address={client} />}
      {network ? <NetworkDetail name={network} /> : <List query={query} />}
    </>
  );
}

function List(props: { query: URLSearchParams }): JSX.Element {
  const cursor = props.query.get("cursor");
  const asked = { limit: PAGE, ...(cursor && { cursor }) };
  const read = useResource((signal) => get("/v1/networks", asked, { signal }), [asked], EVERY);
  return (
    <>
      <h2>All networks</h2>
      <Loaded resource={read}>
        {({ items, next }) => (
          <PagedTable<Network>
            label="Networks"
            rows={items}
            next={next}
            id={(each) => each.name}
            empty="No network is known."
            columns={[
              { head: "Network", kind: "main", cell: (each) => <Name network={each} /> },
              { head: "Clients", cell: (each) => <Clients network={each} /> },
              { head: "Home VNets", cell: (each) => <Ids values={each.vnets} /> },
              { head: "Sees too", cell: (each) => <Reach network={each} /> },
              { head: "Hidden from it", cell: (each) => <Some values={each.excepted} /> },
            ]}
          />
        )}
      </Loaded>
      <p class="note">
        The longest prefix that holds an address decides about its network. A client sees the endpoints in the
        home VNets of its network and in those that it reaches.
      </p>
    </>
  );
}

const ORIGINS: Record<Network["origin"], string> = {
  auto: "from a VNet",
  configured: "configured",
  default: "the only network: none is configured",
};

function Name(props: { network: Network }): JSX.Element {
  const { name, origin, vnets, reach } = props.network;
  if (name === NO_NETWORK) {
    return (
      <>
        <Text value={name} />
        <div>
          <Badge tone="warning">ambiguous</Badge>
        </div>
        <div class="note">several VNets use these prefixes, so their clients are in no network</div>
      </>
    );
  }
  return (
    <>
      <Link class="target" to={href("networks", { network: name })}>
        <Text value={name} />
      </Link>
      <div class="note">{ORIGINS[origin]}</div>
      {!vnets.length && !reach.length && <div class="note">sees every endpoint</div>}
    </>
  );
}

export function Clients(props: { network: Network }): JSX.Element {
  const { clients, listeners } = props.network;
  if (!clients.length && !listeners.length) return <span class="quiet">none</span>;
  return (
    <>
      {clients.map((each) => (
        <div key={each}>
          <Copy value={each} />
        </div>
      ))}
      {listeners.map((each) => (
        <div key={each} class="note">
          all that ask <Copy value={each} />
        </div>
      ))}
    </>
  );
}

export function Ids(props: { values: readonly string[] }): JSX.Element {
  if (!props.values.length) return <span class="quiet">none</span>;
  return (
    <>
      {props.values.map((each) => (
        <div key={each}>
          <ResourceId value={each} />
        </div>
      ))}
    </>
  );
}

export function Reach(props: { network: Network }): JSX.Element {
  const { reach } = props.network;
  return reach.includes("all") ? <>every VNet</> : <Ids values={reach} />;
}
