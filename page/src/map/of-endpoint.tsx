// What the panel says about an endpoint: its names with their addresses, its NIC and target, and where it comes from.

import type { JSX } from "preact";
import type { MapFocus } from "../api/schema";
import { Copy, ResourceId, Text } from "../components/text";
import { counted, shortId } from "../format";
import { href, Link } from "../router";
import { Fact, Facts } from "./facts";

type Endpoint = NonNullable<MapFocus["endpoint"]>;
type Claim = Endpoint["claims"][number];

/** Networks for which an explanation is offered, for each name. */
const NETWORKS = 4;

export function OfEndpoint(props: { shown: Endpoint; to: (id: string) => string }): JSX.Element {
  const { endpoint, nics, subnet, claims, claims_total } = props.shown;
  const left = claims_total - claims.length;
  return (
    <>
      <h3>Names</h3>
      {claims.length ? (
        <ul class="names">
          {claims.map((each) => (
            <Name key={`${each.name} ${each.public}`} claim={each} />
          ))}
          {left > 0 && <li class="quiet">{counted(left, "more", "more")}</li>}
        </ul>
      ) : (
        <p class="quiet">It claims no name.</p>
      )}
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
            <span class="quiet">
              {" "}
              <Text value={endpoint.groups.join(", ")} />
            </span>
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
          </Fact>
        )}
        {subnet && (
          <Fact name="Subnet">
            <Copy value={subnet} />
          </Fact>
        )}
        <Fact name="Visible to">
          {endpoint.networks.length
            ? endpoint.networks.map((each, index) => (
                <span key={each}>
                  {index > 0 && ", "}
                  <Link to={props.to(`network:${each}`)}>
                    <Text value={each} />
                  </Link>
                </span>
              ))
            : "no network"}
          {endpoint.networks_total > endpoint.networks.length &&
            ` and ${counted(endpoint.networks_total - endpoint.networks.length, "more", "more")}`}
        </Fact>
        <Fact name="Source">
          <Text value={endpoint.source} />{" "}
          <span class="quiet">
            <Text value={endpoint.where} />
          </span>
        </Fact>
      </Facts>
    </>
  );
}

function Name(props: { claim: Claim }): JSX.Element {
  const { claim } = props;
  const more = claim.networks_total - NETWORKS;
  return (
    <li>
      <Copy value={claim.public} />
      <div>
        {claim.addresses.map((each) => (
          <Copy key={each} value={each} />
        ))}
      </div>
      <div class="quiet">
        private name <Copy value={claim.name} />
      </div>
      <div class="goes-on">
        <Link to={href("history", { name: claim.public })}>History</Link>
        {claim.zone && <Link to={href("zones", { zone: claim.zone, name: claim.public })}>Records</Link>}
        <Link to={href("findings", { name: claim.public })}>Findings</Link>
        {claim.networks.length ? (
          claim.networks.slice(0, NETWORKS).map((each) => (
            <Link key={each} to={href("explain", { name: claim.public, client: each })}>
              Explain for <Text value={each} />
            </Link>
          ))
        ) : (
          <Link to={href("explain", { name: claim.public })}>Explain</Link>
        )}
        {more > 0 && <span class="quiet">{counted(more, "more network", "more networks")}</span>}
      </div>
    </li>
  );
}
