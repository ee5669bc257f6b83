// What the panel says about a network: what its clients see, who wins each contested name there, and which names have
// another answer elsewhere.

import type { JSX } from "preact";
import type { MapFocus } from "../api/schema";
import { Badge, SeverityBadge } from "../components/badge";
import { ResourceId, Some, Text } from "../components/text";
import { counted, number } from "../format";
import { href, Link } from "../router";
import { Fact, Facts, Line } from "./facts";

type Network = NonNullable<MapFocus["network"]>;
type Answer = NonNullable<Network["differing"][number]["here"]>;
type Contested = Network["contested"][number];

const CLIENTS = 16;

export function OfNetwork(props: {
  network: Network;
  name: string;
  to: (id: string) => string;
}): JSX.Element {
  const { network, name, to } = props;
  const more = network.clients.length - CLIENTS;
  return (
    <>
      <p class="seen-by">
        Its clients see <b>{counted(network.endpoints, "endpoint")}</b> in{" "}
        <b>{counted(network.vnets, "VNet")}</b>, and get a private answer for{" "}
        <b>{counted(network.names, "name")}</b> of {number(network.all_names)}.
      </p>
      <Facts>
        <Fact name="Clients">
          {network.clients.length
            ? network.clients.slice(0, CLIENTS).map((each) => <Line key={each} value={each} />)
            : "none"}
          {more > 0 && counted(more, "more", "more")}
        </Fact>
      </Facts>
      <p class="goes-on">
        <Link to={href("findings", { network: name })}>Findings</Link>
        <Link to={href("zones", { network: name })}>Zones</Link>
        <Link to={href("queries", { network: name })}>Live queries</Link>
        <Link to={href("networks")}>Networks</Link>
      </p>
      {network.contested.length > 0 && (
        <>
          <h3>Contested names, and who wins here: {number(network.contested_total)}</h3>
          <ul class="differences">
            {network.contested.map((each) => (
              <Winner key={each.name} contested={each} network={name} to={to} />
            ))}
          </ul>
        </>
      )}
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

function Winner(props: { contested: Contested; network: string; to: (id: string) => string }): JSX.Element {
  const { contested, network, to } = props;
  const { name, severity, winners, losers, rule, rcode, addresses } = contested;
  return (
    <li>
      {losers ? <SeverityBadge severity={severity} /> : <Badge tone="good">decided</Badge>}{" "}
      <Link to={href("explain", { name, client: network })}>
        <Text value={name} />
      </Link>
      <p>
        {rcode === "SERVFAIL" ? (
          <b class="bad">SERVFAIL: nobody wins</b>
        ) : (
          <>
            <b>
              <Some values={addresses} />
            </b>{" "}
            of{" "}
            {winners.map((each) => (
              <span key={each} class="winner">
                <ResourceId value={each} /> <Link to={to(`endpoint:${each.toLowerCase()}`)}>on the map</Link>
              </span>
            ))}
          </>
        )}
      </p>
      <p class="quiet">
        {losers
          ? `${rule} decides against ${counted(losers, "other endpoint")}`
          : "the only endpoint with this name that is visible here"}
      </p>
    </li>
  );
}

function Addresses(props: { answer: Answer }): JSX.Element {
  return props.answer.rcode === "SERVFAIL" ? <>SERVFAIL</> : <Some values={props.answer.addresses} />;
}
