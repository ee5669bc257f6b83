// What a finding is about, and which views have more about it.

import type { Finding } from "../../api/schema";
import { isEndpoint, onMap } from "../../components/object-link";
import { shortId } from "../../format";
import { href } from "../../router";
import { isAddress, isName } from "../../search/hits";

/** Endpoints in the evidence that are listed. */
const MOST = 6;

/** Return the views that have more about the subject of a finding: a word and an address for each. */
export function linksOf(subject: string): [string, string][] {
  const links: [string, string][] = [];
  if (isEndpoint(subject)) links.push(["Map", onMap(subject)]);
  if (isName(subject)) links.push(["Explain", href("explain", { name: subject })]);
  if (isAddress(subject)) links.push(["Whose client", href("networks", { client: subject })]);
  return [...links, ["History", href("history", { name: subject })]];
}

/** Return the ids of the endpoints in the evidence of a finding, without the subject and the served one. */
export function endpointsOf(finding: Finding): { shown: string[]; more: number } {
  const found = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value === "string" && isEndpoint(value)) found.add(value);
    else if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(collect);
  };
  collect(finding.evidence);
  found.delete(finding.subject);
  found.delete(finding.winner);
  const all = [...found].sort((one, other) => shortId(one).localeCompare(shortId(other)));
  return { shown: all.slice(0, MOST), more: Math.max(all.length - MOST, 0) };
}
