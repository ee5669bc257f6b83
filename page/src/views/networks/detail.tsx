// One network: its clients, VNets, endpoints and names, what is wrong there, and which names have another answer elsewhere.

import type { JSX } from "preact";
import { get, type Reply } from "../../api/client";
import { Badge, SeverityBadge } from "../../components/badge";
import { Empty, Loaded } from "../../components/states";
import { Table } from "../../components/table";
import { Copy, ResourceId, Some, Text } from "../../components/text";
import { counted, number } from "../../format";
import { href, Link } from "../../router";
import { useResource } from "../../state/resource";
import { Clients, Ids, Reach } from "../networks";

type Focus = NonNullable<Reply<"/v1/map">["focus"]>;
type Endpoint = Reply<"/v1/endpoints">["items"][number];
type Difference = NonNullable<Focus["network"]>["differing"][number];
type Answer = Difference["elsewhere"][number];

/** Endpoints that are listed; the map has all of them. */
const LISTED = 50;

export function NetworkDetail(props: { name: string }): JSX.Element {
  const { name } = props;
  const read = useResource(
    async (signal) => {
      const [networks, map] = await Promise.all([
        get("/v1/networks", { name: [name] }, { signal }),
        get("/v1/map", { focus: `network:${name}` }, { signal }),
      ]);
      return { network: networks.items[0], focus: map.focus };
    },
    [name],
  );
  return (
    <>
      <h2>
        Network <Text value={name} />
      </h2>
      <p class="actions">
        <Link to={href("networks")}>All networks</Link>
        <Link to={href("map", { focus: `network:${name}` })}>Show it on the map</Link>
        <Link to={href("queries", { network: name })}>Its live queries</Link>
      </p>
      <Loaded resource={read}>
        {({ network, focus }) =>
          network ? (
            <>
              <dl class="facts">
                <Fact term="Clients">
                  <Clients network={network} />
                </Fact>
                <Fact term="Home VNets">
                  <Ids values={network.vnets} />
                </Fact>
                <Fact term="Sees too">
                  <Reach network={network} />
                </Fact>
                <Fact term="Hidden from it">
                  <Some values={network.excepted} />
                </Fact>
                {focus?.network && (
                  <>
                    <Fact term="Sees">
                      <strong>{counted(focus.network.endpoints, "served endpoint")}</strong> in{" "}
                      {counted(focus.network.vnets, "VNet")}
                    </Fact>
                    <Fact term="Private names">
                      <strong>{number(focus.network.names)}</strong> of {number(focus.network.all_names)} have
                      an answer here
                    </Fact>
                  </>
                )}
              </dl>
              {focus && <Findings focus={focus} name={name} />}
              {focus?.network && <Differing network={focus.network} name={name} />}
            </>
          ) : (
            <Empty>There is no such network.</Empty>
          )
        }
      </Loaded>
      <Visible network={name} />
    </>
  );
}

function Fact(props: { term: string; children: JSX.Element | (JSX.Element | string)[] }): JSX.Element {
  return (
    <div>
      <dt>{props.term}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function Findings(props: { focus: Focus; name: string }): JSX.Element {
  const { findings } = props.focus;
  return (
    <>
      <h3>Findings about it</h3>
      {findings.length ? (
        <ul class="plain">
          {findings.map((each) => (
            <li key={each.id}>
              <SeverityBadge severity={each.severity} /> <Text value={each.text || each.code} />
            </li>
          ))}
        </ul>
      ) : (
        <p class="quiet">none</p>
      )}
      <p>
        <Link to={href("findings", { network: props.name })}>All findings that its clients notice</Link>
      </p>
    </>
  );
}

function Differing(props: { network: NonNullable<Focus["network"]>; name: string }): JSX.Element | null {
  const { differing, differing_total } = props.network;
  if (!differing.length) return null;
  return (
    <>
      <h3>{counted(differing_total, "name has", "names have")} another answer in other networks</h3>
      <Table<Difference>
        label="Names with another answer elsewhere"
        rows={differing}
        id={(each) => each.name}
        empty=""
        columns={[
          {
            head: "Name",
            kind: "main",
            cell: (each) => (
              <Link class="target" to={href("explain", { name: each.name, client: props.name })}>
                <Text value={each.name} />
              </Link>
            ),
          },
          { head: "Here", cell: (each) => <AnswerShown answer={each.here} /> },
          {
            head: "Elsewhere",
            cell: (each) => (
              <>
                {each.elsewhere.map((answer, index) => (
                  <div key={index}>
                    <AnswerShown answer={answer} /> <span class="note">in </span>
                    <Some values={answer.networks} total={answer.networks_total} />
                  </div>
                ))}
              </>
            ),
          },
        ]}
      />
      {differing_total > differing.length && <p class="note">These are the first {differing.length}.</p>}
    </>
  );
}

function AnswerShown(props: { answer: Answer | null }): JSX.Element {
  const { answer } = props;
  if (!answer) return <span class="quiet">no private answer</span>;
  if (answer.rcode !== "NOERROR") return <Badge tone="error">{answer.rcode}</Badge>;
  return (
    <>
      {answer.addresses.map((each) => (
        <span key={each}>
          <Copy value={each} />{" "}
        </span>
      ))}
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
      <h3>Endpoints that its clients see</h3>
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
                { head: "VNet", cell: (each) => (each.vnet ? <ResourceId value={each.vnet} /> : "") },
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
