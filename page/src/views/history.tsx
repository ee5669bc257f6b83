// What changed, by day, the newest first: answers for names, findings and sources. With a name: its timeline.

import type { ComponentChildren, JSX } from "preact";
import { get, type Reply } from "../api/client";
import { Choice, Search } from "../components/filters";
import { Empty, Loaded } from "../components/states";
import { Pager } from "../components/table";
import { Text } from "../components/text";
import { href, Link } from "../router";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";
import { Change } from "./history/change";

export type Entry = Reply<"/v1/history">["items"][number];
type Kind = Entry["kind"];
type Severity = "error" | "warning" | "info";

const PAGE = 50;
const EVERY = 10;
const KINDS: readonly (readonly [Kind, string])[] = [
  ["name", "answers for names"],
  ["finding", "findings"],
  ["source", "sources"],
];
const SEVERITIES: readonly (readonly [Severity, string])[] = [
  ["error", "errors"],
  ["warning", "warnings"],
  ["info", "infos"],
];
const SPANS = [
  ["1h", "the last hour"],
  ["24h", "the last 24 hours"],
  ["7d", "the last 7 days"],
  ["30d", "the last 30 days"],
] as const;
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });

export default function HistoryView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [name, kind, since, severity, cursor] = ["name", "kind", "since", "severity", "cursor"].map((each) =>
    query.get(each),
  );
  const asked = {
    limit: PAGE,
    ...(name && { name: [name] }),
    ...(kind && { kind: [kind as Kind] }),
    ...(since && { since }),
    ...(severity && { severity: [severity as Severity] }),
    ...(cursor && { cursor }),
  };
  const read = useResource((signal) => get("/v1/history", asked, { signal }), [asked], EVERY);
  return (
    <>
      <div class="filters">
        <Search label="Name, finding subject or source" name="name" hint="the whole name" />
        <Choice label="What changed" name="kind" all="everything" options={KINDS} />
        <Choice label="Findings" name="severity" all="of every severity" options={SEVERITIES} />
        <Choice label="Since" name="since" all="as long as it is kept" options={SPANS} />
      </div>
      {name && kind !== "source" && (
        <p class="actions">
          <Link to={href("explain", { name })}>
            Explain the answer for <Text value={name} />
          </Link>
          <Link to={href("findings", { name })}>Its findings</Link>
          <Link to={href("history")}>All changes</Link>
        </p>
      )}
      <Loaded resource={read}>
        {({ items, next }) =>
          items.length ? (
            <>
              {days(items).map(([day, entries]) => (
                <section key={day} aria-label={day}>
                  <h2>{day}</h2>
                  <ol class="timeline">
                    {entries.map((each) => (
                      <li key={each.id}>
                        <Change entry={each} />
                      </li>
                    ))}
                  </ol>
                </section>
              ))}
              <Pager label="Changes" next={next} />
            </>
          ) : (
            <Empty>{nothing(name ?? "", Boolean(kind ?? since ?? severity))}</Empty>
          )
        }
      </Loaded>
    </>
  );
}

function nothing(name: string, isFiltered: boolean): ComponentChildren {
  if (name)
    return (
      <>
        No change of <Text value={name} /> is kept. Type the whole name. pldns notes changes from its first
        start on.
      </>
    );
  if (isFiltered) return "No change matches the filters.";
  return (
    "Nothing has changed since the first start of pldns. From now on, this list has each change: another answer for a " +
    "name with the addresses before and after, a finding that opens or closes, a source that fails or recovers."
  );
}

/** Return the entries by day, in the time zone of the reader. */
function days(entries: readonly Entry[]): [string, Entry[]][] {
  const found = new Map<string, Entry[]>();
  const now = new Date();
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  for (const each of entries) {
    const at = new Date(each.at);
    const date = DAY.format(at);
    const isToday = at.toDateString() === now.toDateString();
    const isYesterday = at.toDateString() === yesterday.toDateString();
    const day = isToday ? `Today, ${date}` : isYesterday ? `Yesterday, ${date}` : date;
    found.set(day, [...(found.get(day) ?? []), each]);
  }
  return [...found];
}
