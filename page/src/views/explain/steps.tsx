// Why: the client, then each name of the chain with what decided about it. Each object leads to its view.

import type { JSX } from "preact";
import type { Schemas } from "../../api/schema";
import { Badge } from "../../components/badge";
import { Copy, Some, Text } from "../../components/text";
import { href, Link } from "../../router";
import { Branch } from "./branch";
import { ClaimItem } from "./claim";
import type { Explanation } from "./outcome";

type Step = Schemas["ExplainedStep"];
type Upstream = Schemas["ExplainedUpstream"];

export function Steps(props: { found: Explanation }): JSX.Element {
  const { found } = props;
  return (
    <section aria-labelledby="why">
      <h2 id="why">Why</h2>
      <ol class="steps">
        <Client found={found} />
        {found.steps.map((each, index) => (
          <StepItem key={`${each.name} ${index}`} step={each} />
        ))}
        {found.nearest && (
          <Branch head="Nearest name">
            <li>
              <Link to={href("explain", { name: found.nearest })}>
                <Text value={found.nearest} />
              </Link>
            </li>
          </Branch>
        )}
      </ol>
    </section>
  );
}

function Client(props: { found: Explanation }): JSX.Element {
  const { network, access, access_by } = props.found;
  return (
    <Branch
      head={
        <>
          Client <Copy value={props.found.client} />
        </>
      }
    >
      <li>
        <Text value={access} />
        {access_by && (
          <>
            : <code>{access_by}</code> holds the address
          </>
        )}
      </li>
      <li>
        {network.name === null ? (
          <>in no network</>
        ) : (
          <>
            network{" "}
            <Link to={href("networks", { client: props.found.client })}>
              <Text value={network.name} />
            </Link>
            {network.prefix && (
              <>
                : <code>{network.prefix}</code> holds the address
              </>
            )}
            {network.listener && (
              <>
                : the listener <code>{network.listener}</code> decides
              </>
            )}
          </>
        )}
      </li>
      {network.nearest.length > 0 && (
        <li>
          nearest: <Some values={network.nearest} />
        </li>
      )}
      {network.others.length > 0 && (
        <li>
          not decisive: <Some values={network.others} />
        </li>
      )}
    </Branch>
  );
}

function StepItem(props: { step: Step }): JSX.Element {
  const { step } = props;
  return (
    <Branch head={<Copy value={step.name} />}>
      <li>
        <b>{step.row}</b>: <Text value={step.why} />
      </li>
      {step.zones.map((each) => (
        <li key={each.zone}>
          zone{" "}
          <Link to={href("zones", { zone: each.zone })}>
            <Text value={each.zone} />
          </Link>{" "}
          of {each.source}: on_miss {each.on_miss}, ttl {each.ttl} s, chain {each.chain}
        </li>
      ))}
      {step.upstream && <UpstreamItem use={step.upstream} />}
      {step.stripped && <li>private addresses were removed from the reply of the upstream server</li>}
      {step.claims.map((each) => (
        <ClaimItem key={`${each.endpoint} ${each.public}`} claim={each} />
      ))}
      {step.records.map((each) => (
        <li key={each}>
          <Copy value={each} />
        </li>
      ))}
    </Branch>
  );
}

function UpstreamItem(props: { use: Upstream }): JSX.Element {
  const { use } = props;
  return (
    <Branch
      head={
        <>
          upstream group{" "}
          <Link to={href("upstreams", { name: use.group })}>
            <Text value={use.group} />
          </Link>
          : <Text value={use.why} />
        </>
      }
    >
      <li>
        <Text value={use.cache} />
      </li>
      {use.servers.map((each) => (
        <li key={each.server}>
          <Badge tone={each.up ? "good" : "error"}>{each.up ? "up" : "down"}</Badge>{" "}
          <Copy value={each.server} />
          {each.round_trip_ms !== null && <span class="quiet"> {each.round_trip_ms} ms</span>}
        </li>
      ))}
    </Branch>
  );
}
