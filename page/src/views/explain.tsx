// Explain: what a client gets for a name, and why, step by step; and what clients of every network get.

import type { ComponentChildren, JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { get, type Query } from "../api/client";
import type { Schemas } from "../api/schema";
import { Badge, type Tone } from "../components/badge";
import { Empty, Loaded } from "../components/states";
import { Copy, ResourceId, Some, Text, When } from "../components/text";
import { duration, shortId } from "../format";
import { href, Link, navigate } from "../router";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";
import { SeenFrom } from "./seen-from";

type Explanation = Schemas["Explanation"];
type Step = Schemas["ExplainedStep"];
type Claim = Schemas["ExplainedClaim"];
type Upstream = Schemas["ExplainedUpstream"];

const TYPES = ["A", "AAAA", "CNAME", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "TXT"];

export default function ExplainView(props: ViewProps): JSX.Element {
  const { query } = props;
  const name = query.get("name") ?? "";
  return (
    <>
      <Form key={query.toString()} query={query} />
      {name ? (
        <>
          <Result asked={question(query)} />
          <SeenFrom name={name} type={query.get("type") ?? ""} />
        </>
      ) : (
        <Empty>Type a name, or an address for its PTR name.</Empty>
      )}
    </>
  );
}

function question(query: URLSearchParams): Query<"/v1/explain"> {
  const [type, client] = [query.get("type"), query.get("client")];
  return {
    name: query.get("name") ?? "",
    ...(type ? { type } : {}),
    ...(client ? { client } : {}),
    ...(query.get("ask") ? { ask: true } : {}),
  };
}

function Form(props: { query: URLSearchParams }): JSX.Element {
  const { query } = props;
  const [name, setName] = useState(query.get("name") ?? "");
  const [type, setType] = useState(query.get("type") ?? "");
  const [client, setClient] = useState(query.get("client") ?? "");
  const [ask, setAsk] = useState(query.get("ask") === "1");
  const [nameId, typeId, clientId] = [useId(), useId(), useId()];
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        navigate(href("explain", { name: name.trim(), type, client: client.trim(), ask: ask ? "1" : "" }));
      }}
    >
      <div class="search">
        <label for={nameId}>Name</label>
        <input
          id={nameId}
          required
          value={name}
          spellcheck={false}
          autocomplete="off"
          placeholder="shop.blob.core.windows.net"
          onInput={(event) => {
            setName(event.currentTarget.value);
          }}
        />
      </div>
      <div>
        <label for={typeId}>Type</label>
        <select
          id={typeId}
          value={type}
          onChange={(event) => {
            setType(event.currentTarget.value);
          }}
        >
          <option value="">A, or PTR</option>
          {TYPES.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </div>
      <div class="search">
        <label for={clientId}>Client: an address or a network</label>
        <input
          id={clientId}
          value={client}
          spellcheck={false}
          autocomplete="off"
          placeholder="127.0.0.1"
          onInput={(event) => {
            setClient(event.currentTarget.value);
          }}
        />
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={ask}
          onChange={(event) => {
            setAsk(event.currentTarget.checked);
          }}
        />
        Ask upstream servers
      </label>
      <button class="primary">Explain</button>
    </form>
  );
}

function Result(props: { asked: Query<"/v1/explain"> }): JSX.Element {
  const found = useResource((signal) => get("/v1/explain", props.asked, { signal }), [props.asked]);
  return (
    <Loaded resource={found}>
      {(explanation) => (
        <>
          <Answer found={explanation} />
          <h2>Why</h2>
          <ol class="steps">
            <Client found={explanation} />
            {explanation.steps.map((each, index) => (
              <StepItem key={`${each.name} ${index}`} step={each} />
            ))}
            {explanation.nearest && (
              <Branch head="Nearest name">
                <li>
                  <Link to={href("explain", { name: explanation.nearest })}>
                    <Text value={explanation.nearest} />
                  </Link>
                </li>
              </Branch>
            )}
          </ol>
        </>
      )}
    </Loaded>
  );
}

/** Return the tone of an answer, and its words. */
export function outcome(found: Explanation): { tone: Tone; word: string } {
  if (found.access !== "allowed") return { tone: "error", word: found.access };
  if (!found.answer) return { tone: "neutral", word: "asks upstream" };
  const { rcode, answer } = found.answer;
  if (rcode === "NOERROR")
    return answer.length ? { tone: "good", word: rcode } : { tone: "info", word: "no data" };
  return { tone: rcode === "NXDOMAIN" ? "warning" : "error", word: rcode };
}

function Answer(props: { found: Explanation }): JSX.Element {
  const { found } = props;
  const { tone, word } = outcome(found);
  const kept = found.kept;
  return (
    <section class="answer" aria-label="Answer">
      <p>
        <Badge tone={tone}>{word}</Badge> <Copy value={found.name} /> {found.type} for{" "}
        <Copy value={found.client} />
        {found.network.name && (
          <>
            {" "}
            in the network <Text value={found.network.name} />
          </>
        )}
      </p>
      {found.why && (
        <p>
          <Text value={found.why} />
        </p>
      )}
      {found.answer && (
        <ul class="records">
          {found.answer.answer.map((each) => (
            <li key={each}>
              <Copy value={each} />
            </li>
          ))}
          {found.answer.ede.map((each) => (
            <li key={each.text}>
              Extended error: <Text value={each.text} />
            </li>
          ))}
        </ul>
      )}
      {kept && (
        <p class="quiet">
          The worker has this answer compiled, since {duration(kept.age)}
          {kept.left === null ? "" : `, for ${duration(kept.left)} more`}.
        </p>
      )}
    </section>
  );
}

function Branch(props: { head: ComponentChildren; children?: ComponentChildren }): JSX.Element {
  return (
    <li>
      {props.head}
      <ul>{props.children}</ul>
    </li>
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
            network <Text value={network.name} />
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
          zone <Copy value={each.zone} /> of {each.source}: on_miss {each.on_miss}, ttl {each.ttl} s, chain{" "}
          {each.chain}
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
          upstream group <Text value={use.group} />: <Text value={use.why} />
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

const STANDINGS: Partial<Record<Claim["standing"], Tone>> = { won: "good", lost: "warning" };

function ClaimItem(props: { claim: Claim }): JSX.Element {
  const { claim } = props;
  return (
    <Branch
      head={
        <>
          <Badge tone={STANDINGS[claim.standing] ?? "neutral"}>{claim.standing}</Badge>{" "}
          <ResourceId value={claim.endpoint} />{" "}
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
        source <Text value={claim.of.name} />{" "}
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
