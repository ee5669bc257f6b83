// An answer in a word, and the data in it.

import type { Schemas } from "../../api/schema";
import type { Tone } from "../../components/badge";

export type Explanation = Schemas["Explanation"];
export type Claim = Schemas["ExplainedClaim"];

/** A record of an answer. */
export interface Record {
  readonly owner: string;
  readonly ttl: string;
  readonly type: string;
  readonly data: string;
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

/** Return the records of an answer. */
export function recordsOf(found: Explanation): Record[] {
  return (found.answer?.answer ?? []).map((each) => {
    const [owner = "", ttl = "", , type = "", ...data] = each.split(/\s+/);
    return { owner: owner.replace(/(.)\.$/, "$1"), ttl, type, data: data.join(" ") };
  });
}

/** Return what differs between two answers, apart from their times: the outcome and the data. */
export function gist(found: Explanation): string {
  const data = recordsOf(found).map((each) => `${each.type} ${each.data}`);
  return JSON.stringify([outcome(found).word, ...data.sort()]);
}

/** Return the claims that decided the answer. */
export function winners(found: Explanation): Claim[] {
  const won = found.steps.flatMap((each) => each.claims).filter((each) => each.standing === "won");
  return [...new Map(won.map((each) => [each.endpoint, each])).values()];
}
