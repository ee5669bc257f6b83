// The answer: the addresses first, then where they are from.

import type { JSX } from "preact";
import { Badge } from "../../components/badge";
import { EndpointLink } from "../../components/object-link";
import { Copy, Text } from "../../components/text";
import { duration } from "../../format";
import { href, Link, refine } from "../../router";
import { type Explanation, outcome, recordsOf, winners } from "./outcome";

export function Answer(props: { found: Explanation }): JSX.Element {
  const { found } = props;
  const { tone, word } = outcome(found);
  return (
    <section class="answer" aria-label="Answer">
      <p class="asked">
        <Badge tone={tone}>{word}</Badge> <Copy value={found.name} /> {found.type} for{" "}
        <Copy value={found.client} />
        {found.network.name !== null && (
          <>
            {" "}
            in the network{" "}
            <Link to={href("networks", { client: found.client })}>
              <Text value={found.network.name} />
            </Link>
          </>
        )}
      </p>
      {found.why && (
        <p>
          <Text value={found.why} />
        </p>
      )}
      <Records found={found} />
      <Reason found={found} />
      <p class="links">
        <Link class="target" to={href("history", { name: found.name })}>
          History
        </Link>
        <Link class="target" to={href("queries", { name: found.name })}>
          Live queries
        </Link>
        <Link class="target" to={href("cache", { name: found.name })}>
          Cache
        </Link>
        <Link class="target" to={href("findings", { name: found.name })}>
          Findings
        </Link>
      </p>
    </section>
  );
}

function Records(props: { found: Explanation }): JSX.Element | null {
  const { found } = props;
  if (!found.answer) return null;
  return (
    <ul class="records">
      {recordsOf(found).map((each, index) => (
        <li key={index} class={each.type === found.type ? "wanted" : undefined}>
          <Copy value={each.data} />
          <span class="quiet">
            {each.type} of <Text value={each.owner} />, for {each.ttl} s
          </span>
        </li>
      ))}
      {found.answer.ede.map((each) => (
        <li key={each.text}>
          Extended error: <Text value={each.text} />
        </li>
      ))}
    </ul>
  );
}

/** Where the answer is from, in a sentence. */
function Reason(props: { found: Explanation }): JSX.Element {
  const { found } = props;
  const last = found.steps.at(-1);
  const won = winners(found);
  return (
    <>
      {won.map((each) => (
        <p key={each.endpoint}>
          From the endpoint <EndpointLink id={each.endpoint} />: <Text value={each.why} />.
        </p>
      ))}
      {!won.length && last && (
        <p>
          <Text value={`${last.row}: ${last.why}`} />.
        </p>
      )}
      {!found.answer && found.access === "allowed" && (
        <p>
          <button
            type="button"
            onClick={() => {
              refine({ ask: "1" });
            }}
          >
            Ask the upstream servers now
          </button>
        </p>
      )}
      {found.kept && (
        <p class="quiet">
          The worker has this answer compiled, since {duration(found.kept.age)}
          {found.kept.left === null ? "" : `, for ${duration(found.kept.left)} more`}.
        </p>
      )}
    </>
  );
}
