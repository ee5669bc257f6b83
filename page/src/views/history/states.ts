// The states that the history compares, the difference between two of them, and what caused it in words.

import { shortId } from "../../format";

/** The state of a thing before or after a change. A name has `answers`; a finding `code`; a source `state`. */
export interface State {
  readonly answers?: readonly Answer[];
  readonly code?: string;
  readonly severity?: string;
  readonly winner?: string;
  readonly state?: string;
  readonly error?: string;
  readonly endpoints?: number;
}

export interface Answer {
  readonly data?: readonly string[];
  /** None: the answer in every network. */
  readonly networks?: readonly string[];
  readonly networks_total?: number;
  readonly endpoints?: readonly string[];
  readonly rule?: string;
}

export interface Line {
  readonly sign: "−" | "+";
  readonly state: State;
  readonly answer?: Answer;
}

/** Return what was before and is no more, then what is new. Answers that stay are left out. */
export function lines(before: State, after: State): Line[] {
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

/** Return in a sentence what changed the answers for a name; empty where the lines say all. */
export function cause(before: State, after: State): string {
  const [old, now] = [endpoints(before), endpoints(after)];
  const gone = old.filter((each) => !now.includes(each)).map(shortId);
  const added = now.filter((each) => !old.includes(each)).map(shortId);
  if (!old.length && !now.length)
    return before.answers || after.answers ? "A zone file or private DNS zone changed." : "";
  if (gone.length && added.length) return `${added.join(", ")} took over from ${gone.join(", ")}.`;
  if (gone.length) return `${gone.join(", ")} does not have the name any more.`;
  if (added.length) return before.answers ? `${added.join(", ")} has the name too.` : "";
  const [was, is] = [networks(before), networks(after)];
  return was === is ? "The same endpoint has another address." : "Other networks see the endpoint now.";
}

function endpoints(state: State): string[] {
  return [...new Set((state.answers ?? []).flatMap((each) => each.endpoints ?? []))];
}

function networks(state: State): string {
  return (state.answers ?? [])
    .map((each) => (each.networks ?? []).join())
    .sort()
    .join(";");
}
