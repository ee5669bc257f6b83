// Networks: their clients and what these see. An address that somebody types shows whose client it is.

import type { JSX } from "preact";
import { get, type Reply } from "../api/client";
import { Badge } from "../components/badge";
import { Search } from "../components/filters";
import { Loaded } from "../components/states";
import { PagedTable, Table } from "../components/table";
import { Copy, ResourceId, Some, Text } from "../components/text";
import { href, Link } from "../router";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";

type Network = Reply<"/v1/networks">["items"][number];
type Endpoint = Reply<"/v1/endpoints">["items"][number];
type Explanation = Reply<"/v1/explain">;

const PAGE = 50;
const EVERY = 10;
/** Endpoints that are listed for a client; the map has all of them. */
const LISTED = 50;
/** A name that no endpoint has: only the network of the client is of interest. */
const NO_NAME = "client.invalid";

export default function NetworksView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [client, cursor] = [query.get("client"), query.get("cursor")];
  const asked = { limit: PAGE, ...(cursor && { cursor }) };
  const read = useResource((signal) => get("/v1/networks", asked, { signal }), [asked], EVERY);
  return (
    <>
      <div class="filters">
        <Search label="Whose client is this address?" name="client" hint="10.1.2.3" />
      </div>
      {client && <Client address={client} />}
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
              { head: "Sees too", cell: (each) => <Ids values={each.reach} /> },
              { head: "Hidden from it", cell: (each) => <Some values={each.excepted} /> },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}

function Name(props: { network: Network }): JSX.Element {
  const { name, origin, vnets, reach } = props.network;
  return (
    <>
      <Text value={name} /> <span class="quiet">{origin}</span>
      {!vnets.length && !reach.length && name !== "none" && <div class="note">sees every endpoint</div>}
    </>
  );
}

function Clients(props: { network: Network }): JSX.Element {
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
          all at <Copy value={each} />
        </div>
      ))}
    </>
  );
}

function Ids(props: { values: readonly string[] }): JSX.Element {
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

function Client(props: { address: string }): JSX.Element {
  const { address } = props;
  const read = useResource(
    (signal) => get("/v1/explain", { name: NO_NAME, client: address }, { signal }),
    [address],
  );
  return (
    <section aria-label="The client">
      <Loaded resource={read}>{(found) => <Match found={found} />}</Loaded>
    </section>
  );
}

function Match(props: { found: Explanation }): JSX.Element {
  const { client, access, access_by, network } = props.found;
  const { name, prefix, listener, others, nearest } = network;
  return (
    <>
      <div class="answer">
        <p>
          {name === null ? (
            <>
              <Badge tone="warning">no network</Badge> <Text value={client} /> is the client of no network.
            </>
          ) : (
            <>
              <Text value={client} /> is a client of{" "}
              <strong>
                <Text value={name} />
              </strong>
              {prefix && (
                <>
                  , by its prefix <Copy value={prefix} />
                </>
              )}
              {listener && (
                <>
                  , by the listen address <Copy value={listener} />
                </>
              )}
              .
            </>
          )}
        </p>
        {others.length > 0 && (
          <p class="note">
            Shorter prefixes hold it too: <Some values={others} />
          </p>
        )}
        {nearest.length > 0 && (
          <p class="note">
            The nearest prefixes: <Some values={nearest} />
          </p>
        )}
        <p class="note">
          Access: <Text value={access} />
          {access_by && (
            <>
              , by <Text value={access_by} />
            </>
          )}
        </p>
      </div>
      {name !== null && <Visible network={name} />}
    </>
  );
}

function Visible(props: { network: string }): JSX.Element {
  const { network } = props;
  const read = useResource(
    (signal) => get("/v1/endpoints", { limit: LISTED, network: [network] }, { signal }),
    [network],
  );
  return (
    <>
      <h2>
        What clients of <Text value={network} /> see
      </h2>
      <Loaded resource={read}>
        {({ items, next }) => (
          <>
            <Table<Endpoint>
              label="Endpoints that the client sees"
              rows={items}
              id={(each) => each.id}
              empty="No endpoint is visible to it."
              columns={[
                { head: "Endpoint", kind: "main", cell: (each) => <ResourceId value={each.id} /> },
                { head: "Names", cell: (each) => <Names endpoint={each} network={network} /> },
                {
                  head: "State",
                  cell: (each) => (
                    <Badge tone={each.served ? "good" : "neutral"}>
                      {each.served ? "served" : "not served"}
                    </Badge>
                  ),
                },
              ]}
            />
            {next !== null && <p class="note">These are the first {LISTED}. The map has all of them.</p>}
          </>
        )}
      </Loaded>
    </>
  );
}

function Names(props: { endpoint: Endpoint; network: string }): JSX.Element {
  return (
    <>
      {props.endpoint.records.map((each) => (
        <div key={each.fqdn}>
          <Link class="target" to={href("explain", { name: each.fqdn, client: props.network })}>
            <Text value={each.fqdn} />
          </Link>{" "}
          <Text value={each.addresses.join(", ")} />
        </div>
      ))}
    </>
  );
}
