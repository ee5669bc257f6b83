// One change: what it is about, what caused it, and the state before and after.

import type { JSX } from "preact";
import { Badge, type Tone } from "../../components/badge";
import { Copy, ResourceId, Some, Text, When } from "../../components/text";
import { absolute, counted, shortId } from "../../format";
import { href, Link } from "../../router";
import type { Entry } from "../history";
import { cause, lines, type Answer, type State } from "./states";

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const TONES: Record<Entry["change"], Tone> = { added: "good", changed: "info", removed: "error" };
const FINDING_TONES: Record<string, Tone> = { error: "error", warning: "warning", info: "info" };

export function Change(props: { entry: Entry }): JSX.Element {
  const { entry } = props;
  const [before, after] = [entry.before as State, entry.after as State];
  const time = new Date(entry.at);
  const why = entry.kind === "name" ? cause(before, after) : "";
  return (
    <>
      <p>
        <time dateTime={entry.at} title={absolute(time)}>
          {CLOCK.format(time)}
        </time>{" "}
        <Badge tone={tone(entry)}>{word(entry)}</Badge>{" "}
        <Link to={subject(entry)} title={entry.subject}>
          <Text value={shortId(entry.subject)} />
        </Link>{" "}
        <span class="quiet">
          <When at={entry.at} />
        </span>
        {entry.kind === "name" && (
          <>
            {" · "}
            <Link to={href("history", { name: entry.subject })}>Timeline</Link>
          </>
        )}
      </p>
      {why && <p class="note">{why}</p>}
      <ul class="diff">
        {lines(before, after).map(({ sign, state, answer }, index) => (
          <li key={`${sign}${index}`} class={sign === "−" ? "gone" : "new"}>
            <span aria-label={sign === "−" ? "before:" : "after:"}>{sign}</span>{" "}
            {answer ? <AnswerShown answer={answer} /> : <StateShown state={state} />}
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
      {networks.length ? (
        <>
          {" in "}
          <Some values={networks} {...(networks_total !== undefined && { total: networks_total })} />
        </>
      ) : (
        " in every network"
      )}
      {endpoints.map((each) => (
        <span key={each}>
          {" from "}
          <ResourceId value={each} />{" "}
          <Link
            to={href("map", { focus: `endpoint:${each.toLowerCase()}` })}
            title={`${shortId(each)} on the map`}
          >
            Map
          </Link>
        </span>
      ))}
      {rule && <span class="quiet"> · decided by {rule}</span>}
    </>
  );
}

function StateShown(props: { state: State }): JSX.Element {
  const { code, severity, state, endpoints, error, winner } = props.state;
  if (code) {
    return (
      <>
        {severity} <Text value={code} />
        {winner && (
          <>
            , won by <ResourceId value={winner} />
          </>
        )}
      </>
    );
  }
  return (
    <>
      {state}
      {endpoints !== undefined && ` · ${counted(endpoints, "endpoint")}`}
      {error && (
        <>
          {" · "}
          <Text value={error} />
        </>
      )}
    </>
  );
}

function word(entry: Entry): string {
  if (entry.kind === "finding") {
    return { added: "finding opened", changed: "finding changed", removed: "finding closed" }[entry.change];
  }
  if (entry.kind === "source")
    return { added: "source", changed: "source", removed: "source removed" }[entry.change];
  return { added: "new answer", changed: "answer changed", removed: "answer removed" }[entry.change];
}

function tone(entry: Entry): Tone {
  if (entry.kind === "source") {
    const state = (entry.after as State).state;
    return state === "fresh" || state === undefined ? "info" : "warning";
  }
  if (entry.kind === "name") return TONES[entry.change];
  return entry.change === "removed"
    ? "good"
    : (FINDING_TONES[(entry.after as State).severity ?? ""] ?? "info");
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
