// The main numbers. Each leads to the view that has more about it.

import type { ComponentChildren, JSX } from "preact";
import type { Overview, Severity } from "../../api/schema";
import { Badge } from "../../components/badge";
import { counted, number, share } from "../../format";
import { href, Link } from "../../router";

const SEVERITIES: readonly (readonly [Severity, string])[] = [
  ["error", "errors"],
  ["warning", "warnings"],
  ["info", "info"],
];

export function Facts(props: { shown: Overview }): JSX.Element {
  const { counts, traffic } = props.shown;
  return (
    <dl class="facts">
      <Fact name="Endpoints" to={href("map")} note={`${number(counts.served)} served`}>
        {number(counts.endpoints)}
      </Fact>
      <Fact name="Names" to={href("zones")} note={`in ${counted(counts.networks, "network")}`}>
        {number(counts.names)}
      </Fact>
      <Findings shown={props.shown} />
      <Fact
        name="Private answers"
        to={href("queries")}
        note={`of ${number(traffic.queries_per_second)} queries/s`}
      >
        {number(traffic.private_per_second)}
        <Unit>/s</Unit>
      </Fact>
      <Fact
        name="Public answers"
        to={href("upstreams")}
        note={`${number(traffic.failed_per_second)}/s failed`}
      >
        {number(traffic.public_per_second)}
        <Unit>/s</Unit>
      </Fact>
      <Fact name="Cache hits" to={href("cache")} note="in the last minute">
        {traffic.cache_hit_ratio === null ? "–" : share(traffic.cache_hit_ratio)}
      </Fact>
    </dl>
  );
}

function Fact(props: { name: string; to: string; note: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="fact">
      <dt>
        <Link to={props.to}>{props.name}</Link>
      </dt>
      <dd class="value">{props.children}</dd>
      <dd class="note">{props.note}</dd>
    </div>
  );
}

function Unit(props: { children: string }): JSX.Element {
  return <span class="unit">{props.children}</span>;
}

function Findings(props: { shown: Overview }): JSX.Element {
  const { findings, acknowledged } = props.shown.counts;
  return (
    <div>
      <dt>Open findings</dt>
      <dd class="severities">
        {SEVERITIES.map(([severity, plural]) => {
          const count = findings[severity] ?? 0;
          return (
            <Link key={severity} to={href("findings", { severity, state: "open" })} class="severity-count">
              <b>{number(count)}</b>
              <Badge tone={count ? severity : "neutral"}>{count === 1 ? severity : plural}</Badge>
            </Link>
          );
        })}
      </dd>
      <dd class="note">{number(acknowledged)} acknowledged</dd>
    </div>
  );
}
