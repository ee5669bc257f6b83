// What a person has to do: the worst open findings in words, and what opened and closed since yesterday.

import type { JSX } from "preact";
import { get } from "../../api/client";
import type { Finding, Overview } from "../../api/schema";
import { SeverityBadge } from "../../components/badge";
import { Loaded } from "../../components/states";
import { Text } from "../../components/text";
import { counted, shortId } from "../../format";
import { href, Link } from "../../router";
import { useResource } from "../../state/resource";
import { SinceYesterday } from "../findings/since-yesterday";

const SHOWN = 5;

export function ToDo(props: { counts: Overview["counts"] }): JSX.Element {
  const { findings, acknowledged } = props.counts;
  const worst = useResource(
    (signal) =>
      get("/v1/findings", { severity: ["error", "warning"], state: ["open"], limit: SHOWN }, { signal }),
    [findings, acknowledged],
  );
  const total = (findings.error ?? 0) + (findings.warning ?? 0);
  return (
    <section aria-labelledby="to-do" class="card">
      <header>
        <h2 id="to-do">What to do</h2>
        <SinceYesterday />
      </header>
      <Loaded resource={worst}>
        {({ items }) =>
          items.length ? (
            <ol class="to-do">
              {items.map((each) => (
                <li key={each.id}>
                  <Item finding={each} />
                </li>
              ))}
            </ol>
          ) : (
            <p class="fine">Nothing. No error and no warning is open.</p>
          )
        }
      </Loaded>
      {total > SHOWN && (
        <p class="more">
          <Link to={href("findings", { state: "open" })}>
            {counted(total - SHOWN, "more error or warning", "more errors and warnings")}
          </Link>
        </p>
      )}
    </section>
  );
}

function Item(props: { finding: Finding }): JSX.Element {
  const { severity, code, subject, text } = props.finding;
  return (
    <>
      <SeverityBadge severity={severity} />
      <div>
        <Link class="subject" to={href("findings", { name: subject, code })}>
          <Text value={shortId(subject)} />
        </Link>{" "}
        <span class="quiet">{code}</span>
        <p class="clamped">
          <Text value={text} />
        </p>
      </div>
    </>
  );
}
