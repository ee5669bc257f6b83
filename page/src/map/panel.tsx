// The node in focus: what it is, what is wrong with it, and where to go from there.

import type { ComponentChildren, JSX } from "preact";
import type { Finding, MapFocus } from "../api/schema";
import { SeverityBadge } from "../components/badge";
import { Copy, ResourceId, Some, Text } from "../components/text";
import { counted, number, shortId } from "../format";
import { href, Link } from "../router";
import { VIEWS } from "../views";

type Network = NonNullable<MapFocus["network"]>;
type VNet = NonNullable<MapFocus["vnet"]>;
type Endpoint = NonNullable<MapFocus["endpoint"]>;
type Claim = Endpoint["claims"][number];
type Difference = Network["differing"][number];
type Answer = Difference["elsewhere"][number];

const KINDS: Record<MapFocus["kind"], string> = {
  network: "Network",
  vnet: "Virtual network",
  service: "Service",
  endpoint: "Private endpoint",
};

/** The views that go on from a name of an endpoint. */
const GOES_ON = (
  [
    ["explain", "Explain"],
    ["zones", "Records"],
    ["history", "History"],
  ] as const
).filter(([view]) => VIEWS.some((each) => each.path === view));

export function Panel(props: { focus: MapFocus; to: (id: string) => string; close: string }): JSX.Element {
  const { focus, to, close } = props;
  const name =
    focus.endpoint?.endpoint.name ??
    shortId(focus.vnet && focus.kind === "vnet" ? focus.vnet.id : focus.label);
  return (
    <section class="panel" aria-labelledby="in-focus">
      <p class="quiet">{KINDS[focus.kind]}</p>
      <h2 id="in-focus">
        <Text value={name} />
      </h2>
      <Findings findings={focus.findings} />
      {focus.network && <OfNetwork network={focus.network} name={focus.label} />}
      {focus.counts && (
        <Facts>
          <Fact name="Endpoints">{number(focus.counts.endpoints)}</Fact>
          {focus.counts.dead > 0 && <Fact name="Dead">{number(focus.counts.dead)}</Fact>}
          {focus.counts.waiting > 0 && (
            <Fact name="Waiting for approval">{number(focus.counts.waiting)}</Fact>
          )}
          {focus.counts.contested > 0 && <Fact name="Contested names">{number(focus.counts.contested)}</Fact>}
        </Facts>
      )}
      {focus.vnet && <OfVNet vnet={focus.vnet} to={to} />}
      {focus.endpoint && <OfEndpoint shown={focus.endpoint} to={to} />}
      <p>
        <Link to={close}>Show the whole estate</Link>
      </p>
    </section>
  );
}

function Findings(props: { findings: readonly Finding[] }): JSX.Element | null {
  if (!props.findings.length) return null;
  return (
    <ul class="map-findings" aria-label="Open findings">
      {props.findings.map((each) => (
        <li key={each.id}>
          <SeverityBadge severity={each.severity} />{" "}
          <Link to={href("findings", { name: each.subject, code: each.code })}>{each.code}</Link>
          <p>
            <Text value={each.text} />
          </p>
          <p class="quiet">
            <Text value={each.action} />
          </p>
        </li>
      ))}
    </ul>
  );
}

function OfNetwork(props: { network: Network; name: string }): JSX.Element {
  const { network, name } = props;
  return (
    <>
      <Facts>
        <Fact name="Clients">
          {network.clients.length
            ? network.clients.slice(0, 16).map((each) => <Line key={each} value={each} />)
            : "none"}
          {network.clients.length > 16 && counted(network.clients.length - 16, "more", "more")}
        </Fact>
        <Fact name="Sees">
          {counted(network.vnets, "VNet")}, {counted(network.endpoints, "served endpoint")}
        </Fact>
        <Fact name="Answers">
          {number(network.names)} of {counted(network.all_names, "private name")}
        </Fact>
      </Facts>
      {network.differing_total > 0 && (
        <>
          <h3>Names with another answer elsewhere: {number(network.differing_total)}</h3>
          <ul class="differences">
            {network.differing.map((each) => (
              <li key={each.name}>
                <Link to={href("explain", { name: each.name, client: name })}>
                  <Text value={each.name} />
                </Link>
                <p>
                  here: <b>{each.here ? <Addresses answer={each.here} /> : "no answer"}</b>
                </p>
                {each.elsewhere.map((other) => (
                  <p key={other.networks.join()} class="quiet">
                    <Some values={other.networks} total={other.networks_total} />:{" "}
                    <Addresses answer={other} />
                  </p>
                ))}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Addresses(props: { answer: Answer }): JSX.Element {
  return props.answer.rcode === "SERVFAIL" ? <>SERVFAIL</> : <Some values={props.answer.addresses} />;
}

function OfVNet(props: { vnet: VNet; to: (id: string) => string }): JSX.Element {
  const { vnet, to } = props;
  return (
    <Facts>
      <Fact name="Id">
        <ResourceId value={vnet.id} />
      </Fact>
      {vnet.region && <Fact name="Region">{vnet.region}</Fact>}
      {vnet.prefixes.length > 0 && (
        <Fact name="Address space">
          {vnet.prefixes.map((each) => (
            <Line key={each} value={each} />
          ))}
        </Fact>
      )}
      <Fact name="Peered with">
        {vnet.peers.length ? (
          <ul class="plain">
            {vnet.peers.map((each) => (
              <li key={each}>
                <Link to={to(`vnet:${each}`)}>
                  <Text value={shortId(each)} />
                </Link>
              </li>
            ))}
          </ul>
        ) : (
          "no VNet that pldns knows"
        )}
      </Fact>
      <Fact name="Visible to">
        <Some values={vnet.networks} total={vnet.networks_total} none="no network" />
      </Fact>
    </Facts>
  );
}

function OfEndpoint(props: { shown: Endpoint; to: (id: string) => string }): JSX.Element {
  const { endpoint, nics, subnet, claims, claims_total } = props.shown;
  const left = claims_total - claims.length;
  return (
    <>
      <Facts>
        <Fact name="State">
          {endpoint.state}, {endpoint.served ? "served" : <b class="bad">not served</b>}
        </Fact>
        <Fact name="Id">
          <ResourceId value={endpoint.id} />
        </Fact>
        <Fact name="Target">
          <ResourceId value={endpoint.target} />
          {endpoint.groups.length > 0 && (
            <>
              {" "}
              <span class="quiet">
                <Text value={endpoint.groups.join(", ")} />
              </span>
            </>
          )}
        </Fact>
        <Fact name="NIC">
          {nics.length
            ? nics.map((each) => (
                <div key={each}>
                  <ResourceId value={each} />
                </div>
              ))
            : "not known"}
        </Fact>
        {endpoint.vnet && (
          <Fact name="VNet">
            <Link to={props.to(`vnet:${endpoint.vnet}`)}>
              <Text value={shortId(endpoint.vnet)} />
            </Link>
            {subnet && (
              <span class="quiet">
                {" "}
                subnet <Text value={subnet} />
              </span>
            )}
          </Fact>
        )}
        <Fact name="Visible to">
          <Some values={endpoint.networks} total={endpoint.networks_total} none="no network" />
        </Fact>
        <Fact name="Source">
          <Text value={endpoint.source} />{" "}
          <span class="quiet">
            <Text value={endpoint.where} />
          </span>
        </Fact>
      </Facts>
      <h3>Names</h3>
      {claims.length ? (
        <ul class="names">
          {claims.map((each) => (
            <li key={`${each.name} ${each.public}`}>
              <Copy value={each.public} />
              <div class="quiet">
                <Text value={each.name} /> <Some values={each.addresses} />
              </div>
              <div>
                {GOES_ON.map(([view, text]) => (
                  <Link key={view} to={href(view, { name: each.public, ...more(view, each, endpoint) })}>
                    {text}
                  </Link>
                ))}
              </div>
            </li>
          ))}
          {left > 0 && <li class="quiet">{counted(left, "more", "more")}</li>}
        </ul>
      ) : (
        <p class="quiet">It claims no name.</p>
      )}
    </>
  );
}

function more(view: string, claim: Claim, { networks }: Endpoint["endpoint"]): Record<string, string> {
  if (view === "explain" && networks[0]) return { client: networks[0] };
  return view === "zones" && claim.zone ? { zone: claim.zone } : {};
}

function Facts(props: { children: ComponentChildren }): JSX.Element {
  return <dl class="map-facts">{props.children}</dl>;
}

function Fact(props: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function Line(props: { value: string }): JSX.Element {
  return (
    <div>
      <Copy value={props.value} />
    </div>
  );
}
