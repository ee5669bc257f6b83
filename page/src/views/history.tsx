// What changed, the newest first: the answers for a name, findings and sources. With a name: its timeline.

import type { JSX } from "preact";
import { get, type Reply } from "../api/client";
import { Badge, type Tone } from "../components/badge";
import { Choice, Search } from "../components/filters";
import { Empty, Loaded } from "../components/states";
import { Pager } from "../components/table";
import { Copy, ResourceId, Some, Text, When } from "../components/text";
import { absolute } from "../format";
import { href, Link } from "../router";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";

type Entry = Reply<"/v1/history">["items"][number];
type Kind = Entry["kind"];

/** The state of a thing before or after a change. A name has `answers`; a finding `code`; a source `state`. */
interface State {
  readonly answers?: readonly Answer[];
  readonly code?: string;
  readonly severity?: string;
  readonly state?: string;
  readonly error?: string;
  readonly endpoints?: number;
}
interface Answer {
  readonly data?: readonly string[];
  readonly networks?: readonly string[];
  readonly networks_total?: number;
  readonly endpoints?: readonly string[];
  readonly rule?: string;
}

const PAGE = 50;
const EVERY = 10;
const KINDS: readonly (readonly [Kind, string])[] = [
  ["name", "names"],
  ["finding", "findings"],
  ["source", "sources"],
];
const SPANS = [
  ["1h", "the last hour"],
  ["24h", "the last 24 hours"],
  ["7d", "the last 7 days"],
  ["30d", "the last 30 days"],
] as const;
const TONES: Record<Entry["change"], Tone> = { added: "good", changed: "info", removed: "error" };

export default function HistoryView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [name, kind, since, cursor] = ["name", "kind", "since", "cursor"].map((each) => query.get(each));
  const asked = {
    limit: PAGE,
    ...(name && { name: [name] }),
    ...(kind && { kind: [kind as Kind] }),
    ...(since && { since }),
    ...(cursor && { cursor }),
  };
  const read = useResource((signal) => get("/v1/history", asked, { signal }), [asked], EVERY);
  return (
    <>
      <div class="filters">
        <Search label="Name" name="name" hint="a whole name, finding subject or source" />
        <Choice label="What changed" name="kind" all="everything" options={KINDS} />
        <Choice label="Since" name="since" all="as long as it is kept" options={SPANS} />
      </div>
      <Loaded resource={read}>
        {({ items, next }) =>
          items.length ? (
            <>
              <ol class="timeline">
                {items.map((each) => (
                  <li key={each.id}>
                    <Change entry={each} />
                  </li>
                ))}
              </ol>
              <Pager label="Changes" next={next} />
            </>
          ) : (
            <Empty>
              {name ? "No change of it is kept. Type the whole name." : "No change matches."} pldns notes
              changes from its first start on.
            </Empty>
          )
        }
      </Loaded>
    </>
  );
}

function Change(props: { entry: Entry }): JSX.Element {
  const { entry } = props;
  const [before, after] = [entry.before as State, entry.after as State];
  return (
    <>
      <p>
        <Badge tone={tone(entry)}>{word(entry)}</Badge>{" "}
        <Link to={subject(entry)}>
          <Text value={entry.subject} />
        </Link>{" "}
        <span class="quiet">
          <When at={entry.at} /> · {absolute(new Date(entry.at))}
        </span>
      </p>
      <ul class="diff">
        {lines(before, after).map(({ sign, state, answer }, index) => (
          <li key={`${sign}${index}`} class={sign === "−" ? "gone" : "new"}>
            <span aria-label={sign === "−" ? "before:" : "after:"}>{sign}</span>{" "}
            {answer ? <AnswerShown answer={answer} /> : <Text value={said(state)} />}
          </li>
        ))}
      </ul>
    </>
  );
}

function AnswerShown(props: { answer: Answer }): JSX.Element {
  const { data = [], networks = [], networks_total, endpoints = [], rule } = props.answer;
  return (
    <>
      {data.length
        ? data.map((each, index) => (
            <span key={each}>
              {index > 0 && ", "}
              <Copy value={each} />
            </span>
          ))
        : "no answer, because the claims are undecided"}
      {networks.length > 0 && (
        <>
          {" in "}
          <Some values={networks} {...(networks_total !== undefined && { total: networks_total })} />
        </>
      )}
      {endpoints.map((each) => (
        <span key={each}>
          {" from "}
          <ResourceId value={each} />
        </span>
      ))}
      {rule && <span class="quiet"> · decided by {rule}</span>}
    </>
  );
}

interface Line {
  readonly sign: "−" | "+";
  readonly state: State;
  readonly answer?: Answer;
}

/** Return what was before and is no more, then what is new. Answers that stay are left out. */
function lines(before: State, after: State): Line[] {
  const side = (sign: Line["sign"], state: State, other: State): Line[] => {
    if (!Object.keys(state).length) return [];
    if (!state.answers) return [{ sign, state }];
    const kept = new Set((other.answers ?? []).map((each) => JSON.stringify(each)));
    return state.answers
      .filter((each) => !kept.has(JSON.stringify(each)))
      .map((answer) => ({ sign, state, answer }));
  };
  return [...side("−", before, after), ...side("+", after, before)];
}

function said(state: State): string {
  if (state.code) return `${state.severity ?? ""} ${state.code}`;
  return [
    state.state ?? "",
    state.endpoints === undefined ? "" : `${state.endpoints} endpoints`,
    state.error ?? "",
  ]
    .filter(Boolean)
    .join(" · ");
}

function word(entry: Entry): string {
  if (entry.kind !== "finding") return entry.change;
  return { added: "opened", changed: "changed", removed: "closed" }[entry.change];
}

function tone(entry: Entry): Tone {
  if (entry.kind !== "finding") return TONES[entry.change];
  return { added: "warning", changed: "info", removed: "good" }[entry.change] as Tone;
}

/** Return the address of the view that shows the subject now. */
function subject(entry: Entry): string {
  switch (entry.kind) {
    case "name":
      return href("explain", { name: entry.subject });
    case "finding":
      return href("findings", { name: entry.subject });
    case "source":
      return href("sources");
  }
}
