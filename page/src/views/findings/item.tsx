// One finding: what was found, what pldns does, what a person can do, and where to look.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { Finding } from "../../api/schema";
import { Command } from "../../components/command";
import { EndpointLink } from "../../components/object-link";
import { Copy, ResourceId, Some, Text, When } from "../../components/text";
import { counted, visible } from "../../format";
import { href, Link } from "../../router";
import { useMay } from "../../state/identity";
import { Acknowledge, Withdraw } from "./acknowledge";
import { endpointsOf, linksOf } from "./subject";

/** Commands of a finding up to which they are shown without a click. */
const FEW = 1;

interface Props {
  finding: Finding;
  /** The group says what pldns does, and what to do. */
  isShort: boolean;
  /** All commands are shown at once. */
  open: boolean;
  changed: () => void;
}

export function Item(props: Props): JSX.Element {
  const { finding, isShort, open } = props;
  const { shown, more } = endpointsOf(finding);
  return (
    <article
      class={finding.acknowledged ? "finding acknowledged" : "finding"}
      id={finding.id}
      aria-label={visible(finding.subject)}
    >
      <p class="subject">
        <Subject finding={finding} />
        <span class="quiet">
          opened <When at={finding.first_seen} />
        </span>
      </p>
      <p>
        <Text value={finding.text} />
      </p>
      <dl class="terms">
        {!isShort && (
          <Term name="pldns">
            <Text value={finding.action} />
          </Term>
        )}
        {finding.winner && (
          <Term name="Served">
            <EndpointLink id={finding.winner} />{" "}
            <span class="quiet">
              by the rule <Text value={finding.rule} />
            </span>
          </Term>
        )}
        {shown.length > 0 && (
          <Term name={finding.winner ? "Others" : "Endpoints"}>
            {shown.map((each) => (
              <span key={each} class="item">
                <EndpointLink id={each} />
              </span>
            ))}
            {more > 0 && <span class="quiet">and {counted(more, "more", "more")}</span>}
          </Term>
        )}
        {finding.networks.length > 0 && (
          <Term name="Networks">
            <Some values={finding.networks} total={finding.networks_total} />
          </Term>
        )}
        {(!isShort || finding.commands.length > 0) && (
          <Term name="What to do">
            {!isShort && <Text value={finding.advice} />}
            <Commands values={finding.commands} open={open || finding.commands.length <= FEW} />
          </Term>
        )}
        {finding.acknowledged && <Acknowledged finding={finding} />}
      </dl>
      <Actions {...props} />
    </article>
  );
}

function Term(props: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </>
  );
}

function Subject(props: { finding: Finding }): JSX.Element {
  const { subject } = props.finding;
  return subject.startsWith("/subscriptions/") ? <ResourceId value={subject} /> : <Copy value={subject} />;
}

function Commands(props: { values: readonly string[]; open: boolean }): JSX.Element | null {
  const { values, open } = props;
  if (!values.length) return null;
  const commands = values.map((each) => <Command key={each} value={each} />);
  if (open) return <div class="commands">{commands}</div>;
  return (
    <details>
      <summary>{counted(values.length, "command")}</summary>
      {commands}
    </details>
  );
}

function Acknowledged(props: { finding: Finding }): JSX.Element | null {
  const given = props.finding.acknowledged;
  if (!given) return null;
  return (
    <Term name="Acknowledged">
      <Text value={given.note} />{" "}
      <span class="quiet">
        by <Text value={given.by} />, <When at={given.at} />
        {given.until && (
          <>
            , ends <When at={given.until} />
          </>
        )}
      </span>
    </Term>
  );
}

function Actions(props: Props): JSX.Element {
  const { finding, changed } = props;
  const mayAct = useMay("operate");
  const [asking, setAsking] = useState(false);
  const { acknowledged, code, subject } = finding;
  return (
    <p class="actions">
      {linksOf(subject).map(([word, to]) => (
        <Link key={word} class="target" to={to}>
          {word}
        </Link>
      ))}
      <Link class="target" to={href("findings", { name: subject, code })}>
        Only this finding
      </Link>
      {mayAct && !acknowledged && (
        <button
          type="button"
          onClick={() => {
            setAsking(true);
          }}
        >
          Acknowledge…
        </button>
      )}
      {mayAct && acknowledged && <Withdraw finding={finding} changed={changed} />}
      {asking && (
        <Acknowledge
          finding={finding}
          close={() => {
            setAsking(false);
          }}
          changed={changed}
        />
      )}
    </p>
  );
}
