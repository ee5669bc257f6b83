// Findings: what is wrong in the estate, in words; what pldns does, and what a person can do.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, type Query } from "../api/client";
import type { Finding, Schemas } from "../api/schema";
import { SeverityBadge } from "../components/badge";
import { Command } from "../components/command";
import { Choice, Search } from "../components/filters";
import { Empty, Loaded } from "../components/states";
import { Pager, Table } from "../components/table";
import { Copy, ResourceId, Some, Text, When } from "../components/text";
import { counted, visible } from "../format";
import { href, Link } from "../router";
import { overview } from "../state/live";
import { useMay } from "../state/identity";
import { useResource } from "../state/resource";
import { useStore } from "../state/store";
import type { ViewProps } from "../views";
import { Acknowledge, Withdraw } from "./acknowledge";

type Change = Schemas["HistoryEntry"];

const SHOWN = 100;
/** Findings on the page up to which their commands are shown at once. */
const FEW = 3;

export default function FindingsView(props: ViewProps): JSX.Element {
  const { query } = props;
  const counts = useStore(overview)?.counts;
  const asked = filters(query);
  // Findings are read again when the number of open ones changes.
  const findings = useResource(
    (signal) => get("/v1/findings", asked, { signal }),
    [asked, counts?.findings, counts?.acknowledged],
  );
  return (
    <>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
        }}
      >
        <Choice
          label="Severity"
          name="severity"
          all="All"
          options={[
            ["error", "error"],
            ["warning", "warning"],
            ["info", "info"],
          ]}
        />
        <Choice
          label="State"
          name="state"
          all="Open and acknowledged"
          options={[
            ["open", "Open"],
            ["acknowledged", "Acknowledged"],
          ]}
        />
        <Search label="Name, endpoint, address or source" name="name" hint="shop.blob.core.windows.net" />
        <Search label="Network" name="network" hint="All networks" />
        {query.size > 0 && <Link to={href("findings")}>All findings</Link>}
      </form>
      <Loaded resource={findings}>
        {(list) => (
          <>
            {list.items.length === 0 && (
              <Empty>{query.size ? "No finding fits these filters." : "There are no findings."}</Empty>
            )}
            {grouped(list.items).map(([code, items]) => (
              <Group key={code} items={items} open={list.items.length <= FEW} changed={findings.reload} />
            ))}
            <Pager label="findings" next={list.next} />
          </>
        )}
      </Loaded>
      <Changes />
    </>
  );
}

function filters(query: URLSearchParams): Query<"/v1/findings"> {
  const given: Record<string, unknown> = { limit: SHOWN };
  for (const name of ["severity", "state", "name", "network", "zone", "code"]) {
    if (query.has(name)) given[name] = query.getAll(name);
  }
  const cursor = query.get("cursor");
  return { ...given, ...(cursor ? { cursor } : {}) };
}

/** Return findings by code. They arrive the most severe first, and stay in that order. */
function grouped(items: readonly Finding[]): [string, Finding[]][] {
  const groups = new Map<string, Finding[]>();
  for (const each of items) {
    const key = `${each.severity} ${each.code}`;
    const group = groups.get(key);
    if (group) group.push(each);
    else groups.set(key, [each]);
  }
  return [...groups];
}

function Group(props: { items: readonly Finding[]; open: boolean; changed: () => void }): JSX.Element {
  const [first] = props.items;
  return (
    <section class="finding-group">
      <h2>
        {first && <SeverityBadge severity={first.severity} />} {first?.code}{" "}
        <span class="quiet">{counted(props.items.length, "finding")}</span>
      </h2>
      {props.items.map((each) => (
        <Item key={each.id} finding={each} open={props.open} changed={props.changed} />
      ))}
    </section>
  );
}

/** One finding. `open`: with its commands shown. */
function Item(props: { finding: Finding; open: boolean; changed: () => void }): JSX.Element {
  const { finding, open, changed } = props;
  const mayAct = useMay("operate");
  const [asking, setAsking] = useState(false);
  const given = finding.acknowledged;
  return (
    <article
      class={given ? "finding acknowledged" : "finding"}
      id={finding.id}
      aria-label={visible(finding.subject)}
    >
      <p class="subject">
        <Subject finding={finding} />
        <span class="quiet">
          {" "}
          since <When at={finding.first_seen} />
        </span>
      </p>
      <p>
        <Text value={finding.text} />
      </p>
      <dl class="terms">
        <dt>pldns</dt>
        <dd>
          <Text value={finding.action} />
        </dd>
        {finding.winner && (
          <>
            <dt>Served</dt>
            <dd>
              <ResourceId value={finding.winner} /> <span class="quiet">by the rule {finding.rule}</span>
            </dd>
          </>
        )}
        {finding.networks.length > 0 && (
          <>
            <dt>Networks</dt>
            <dd>
              <Some values={finding.networks} total={finding.networks_total} />
            </dd>
          </>
        )}
        <dt>What to do</dt>
        <dd>
          {finding.advice}
          {finding.commands.length > 0 && (
            <details open={open}>
              <summary>{counted(finding.commands.length, "command")}</summary>
              {finding.commands.map((each) => (
                <Command key={each} value={each} />
              ))}
            </details>
          )}
        </dd>
        {given && (
          <>
            <dt>Acknowledged</dt>
            <dd>
              <Text value={given.note} />{" "}
              <span class="quiet">
                by <Text value={given.by} />, <When at={given.at} />
                {given.until && (
                  <>
                    , ends <When at={given.until} />
                  </>
                )}
              </span>
            </dd>
          </>
        )}
      </dl>
      <p class="actions">
        <Link to={href("findings", { name: finding.subject })}>Link to this subject</Link>
        {mayAct && !given && (
          <button
            type="button"
            onClick={() => {
              setAsking(true);
            }}
          >
            Acknowledge…
          </button>
        )}
        {mayAct && given && <Withdraw finding={finding} changed={changed} />}
      </p>
      {asking && (
        <Acknowledge
          finding={finding}
          close={() => {
            setAsking(false);
          }}
          changed={changed}
        />
      )}
    </article>
  );
}

function Subject(props: { finding: Finding }): JSX.Element {
  const { subject } = props.finding;
  return subject.startsWith("/subscriptions/") ? <ResourceId value={subject} /> : <Copy value={subject} />;
}

function Changes(): JSX.Element {
  const changes = useResource(
    (signal) => get("/v1/history", { kind: ["finding"], since: "1d", limit: 50 }, { signal }),
    [],
  );
  return (
    <section aria-labelledby="changes">
      <h2 id="changes">Opened and closed since yesterday</h2>
      <Loaded resource={changes}>
        {({ items }) => (
          <Table<Change>
            label="Findings that opened or closed"
            rows={items}
            id={(each) => String(each.id)}
            empty="No finding opened or closed."
            columns={[
              { head: "When", cell: (each) => <When at={each.at} /> },
              { head: "Change", cell: (each) => CHANGES[each.change] },
              {
                head: "Finding",
                cell: (each) => <Text value={codeOf(each)} />,
              },
              { head: "Subject", kind: "main", cell: (each) => <ResourceId value={each.subject} /> },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}

const CHANGES: Record<Change["change"], string> = { added: "opened", changed: "changed", removed: "closed" };

function codeOf(change: Change): string {
  const { code } = { ...change.before, ...change.after };
  return typeof code === "string" ? code : "";
}
