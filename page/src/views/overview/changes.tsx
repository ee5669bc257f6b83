// The last changes of answers, findings and sources.

import type { JSX } from "preact";
import { get, type Reply } from "../../api/client";
import { Loaded } from "../../components/states";
import { Text, When } from "../../components/text";
import { shortId } from "../../format";
import { href, Link } from "../../router";
import { useResource } from "../../state/resource";

type Entry = Reply<"/v1/history">["items"][number];

const SHOWN = 6;
const EVERY = 10;
const SIGNS: Record<Entry["change"], string> = { added: "+", changed: "~", removed: "−" };
const WORDS: Record<Entry["kind"], Record<Entry["change"], string>> = {
  name: { added: "new answer", changed: "other answer", removed: "no answer any more" },
  finding: { added: "finding opened", changed: "finding changed", removed: "finding closed" },
  source: { added: "source", changed: "source", removed: "source" },
};

export function Changes(): JSX.Element {
  const changes = useResource((signal) => get("/v1/history", { limit: SHOWN }, { signal }), [], EVERY);
  return (
    <section aria-labelledby="recent" class="card">
      <header>
        <h2 id="recent">Recent changes</h2>
        <Link class="since" to={href("history")}>
          History
        </Link>
      </header>
      <Loaded resource={changes}>
        {({ items }) =>
          items.length ? (
            <ol class="changes">
              {items.map((each) => (
                <li key={each.id}>
                  <span class={`sign ${toneOf(each)}`} aria-hidden="true">
                    {SIGNS[each.change]}
                  </span>
                  <Link to={href("history", { name: each.subject })}>
                    <Text value={shortId(each.subject)} />
                  </Link>
                  <span class="quiet">
                    {wordsOf(each)} <When at={each.at} />
                  </span>
                </li>
              ))}
            </ol>
          ) : (
            <p class="fine">Nothing has changed since pldns was first started here.</p>
          )
        }
      </Loaded>
    </section>
  );
}

/** A finding that closes is good news, and so is a name that gets an answer. */
function toneOf(entry: Entry): "good" | "bad" | "neutral" {
  if (entry.change === "changed") return "neutral";
  return (entry.change === "added") === (entry.kind !== "finding") ? "good" : "bad";
}

function wordsOf(entry: Entry): string {
  const { code, state } = { ...entry.before, ...entry.after };
  if (entry.kind === "finding" && typeof code === "string") return `${WORDS.finding[entry.change]}: ${code},`;
  if (entry.kind === "source" && typeof state === "string") return `source is ${state},`;
  return `${WORDS[entry.kind][entry.change]},`;
}
