// The node in focus: what it is, what is wrong with it, and where to go from there.

import type { JSX } from "preact";
import type { Finding, MapFocus } from "../api/schema";
import { SeverityBadge } from "../components/badge";
import { Text } from "../components/text";
import { number, shortId } from "../format";
import { href, Link } from "../router";
import { Fact, Facts } from "./facts";
import { OfEndpoint } from "./of-endpoint";
import { OfNetwork } from "./of-network";
import { OfVNet } from "./of-vnet";

const KINDS: Record<MapFocus["kind"], string> = {
  network: "Network",
  vnet: "Virtual network",
  service: "Service",
  endpoint: "Private endpoint",
};

export function Panel(props: { focus: MapFocus; to: (id: string) => string; close: string }): JSX.Element {
  const { focus, to, close } = props;
  const name =
    focus.endpoint?.endpoint.name ??
    shortId(focus.vnet && focus.kind === "vnet" ? focus.vnet.id : focus.label);
  return (
    <section class="panel" aria-labelledby="in-focus">
      <p class="panel-top">
        <span class="quiet">{KINDS[focus.kind]}</span>
        <Link to={close}>Whole estate</Link>
      </p>
      <h2 id="in-focus">
        <Text value={name} />
      </h2>
      <Findings findings={focus.findings} />
      {focus.network && <OfNetwork network={focus.network} name={focus.label} to={to} />}
      {focus.counts && (
        <Facts>
          <Fact name="Endpoints">{number(focus.counts.endpoints)}</Fact>
          {focus.counts.dead > 0 && (
            <Fact name="Dead">
              <b class="bad">{number(focus.counts.dead)}</b>
            </Fact>
          )}
          {focus.counts.waiting > 0 && (
            <Fact name="Waiting for approval">{number(focus.counts.waiting)}</Fact>
          )}
          {focus.counts.contested > 0 && (
            <Fact name="Contested names">
              <b class="bad">{number(focus.counts.contested)}</b>
            </Fact>
          )}
        </Facts>
      )}
      {focus.vnet && <OfVNet vnet={focus.vnet} to={to} />}
      {focus.endpoint && <OfEndpoint shown={focus.endpoint} to={to} />}
    </section>
  );
}

function Findings(props: { findings: readonly Finding[] }): JSX.Element | null {
  if (!props.findings.length) return null;
  return (
    <ul class="map-findings" aria-label="Open findings">
      {props.findings.map((each) => (
        <li key={each.id} class={each.severity}>
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
