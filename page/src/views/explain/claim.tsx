// A claim on a name: what became of it, and what it is from.

import type { JSX } from "preact";
import { Badge, type Tone } from "../../components/badge";
import { EndpointLink } from "../../components/object-link";
import { Copy, ResourceId, Some, Text, When } from "../../components/text";
import { shortId } from "../../format";
import { href, Link } from "../../router";
import { Branch } from "./branch";
import type { Claim } from "./outcome";

const STANDINGS: Partial<Record<Claim["standing"], Tone>> = { won: "good", lost: "warning" };

export function ClaimItem(props: { claim: Claim }): JSX.Element {
  const { claim } = props;
  return (
    <Branch
      head={
        <>
          <Badge tone={STANDINGS[claim.standing] ?? "neutral"}>{claim.standing}</Badge>{" "}
          <EndpointLink id={claim.endpoint} />{" "}
          <span class="quiet">
            <Text value={claim.why} />
          </span>
        </>
      }
    >
      <li>
        <Some values={claim.addresses} none="no address" /> for <Copy value={claim.public} />, {claim.state}
      </li>
      {claim.target && (
        <li>
          target <ResourceId value={claim.target} />
          {claim.groups.length > 0 && (
            <>
              {" "}
              (<Text value={claim.groups.join(", ")} />)
            </>
          )}
        </li>
      )}
      {claim.nics.map((each) => (
        <li key={each}>
          network interface <ResourceId value={each} />
        </li>
      ))}
      {claim.vnet && (
        <li>
          {claim.subnet && (
            <>
              subnet <Text value={claim.subnet} /> of{" "}
            </>
          )}
          virtual network <ResourceId value={claim.vnet} />
        </li>
      )}
      <li>
        source{" "}
        <Link to={href("sources", { name: claim.of.name })}>
          <Text value={claim.of.name} />
        </Link>{" "}
        <span class="quiet">
          <Text value={shortId(claim.of.where)} />
        </span>
        , last read <When at={claim.of.last_success} />
      </li>
      <li>
        <Link to={href("findings", { name: claim.endpoint })}>Findings about this endpoint</Link>
      </li>
    </Branch>
  );
}
