// What a text may mean, and where that leads: a view, a name, an address, a network, a zone, an endpoint, findings. Does
// not know how hits are shown.

import { ApiError, get } from "../api/client";
import type { IconName } from "../components/icon";
import { shortId } from "../format";
import { href } from "../router";
import { VIEWS } from "../views";

/** One thing that was found. `to`: the address of the view that shows it. */
export interface Hit {
  readonly icon: IconName;
  readonly title: string;
  readonly note: string;
  readonly to: string;
}

const NAME = /^[\w*-]+(\.[\w-]+)+\.?$/;
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/;
const IPV6 = /^[\da-f:]*:[\da-f:.]*(\/\d{1,3})?$/i;
const MOST_OF_A_KIND = 6;
const ZONES = 1000;

export function isAddress(text: string): boolean {
  return IPV4.test(text) || IPV6.test(text);
}

export function isName(text: string): boolean {
  return NAME.test(text) && !isAddress(text) && text.length <= 254;
}

/** Return the views whose titles have a text; all of them for no text. */
export function viewHits(text: string, hasRegistry: boolean): Hit[] {
  return VIEWS.filter(
    (each) => (!each.needs || hasRegistry) && each.title.toLowerCase().includes(text.toLowerCase()),
  ).map((each) => ({
    icon: "view",
    title: each.title,
    note: `view · ${each.section}`,
    to: href(each.path),
  }));
}

/** Return what a text means by its form alone. */
export function directHits(text: string): Hit[] {
  if (isAddress(text)) {
    const address = text.split("/")[0] ?? text;
    return [
      {
        icon: "networks",
        title: text,
        note: "whose client it is, and what that sees",
        to: href("networks", { client: address }),
      },
      {
        icon: "explain",
        title: text,
        note: "the name of this address (PTR)",
        to: href("explain", { name: address }),
      },
    ];
  }
  if (!isName(text)) return [];
  return [
    {
      icon: "explain",
      title: text,
      note: "explain the answer for this name",
      to: href("explain", { name: text }),
    },
    {
      icon: "queries",
      title: text,
      note: "live queries for this name",
      to: href("queries", { name: text }),
    },
    { icon: "history", title: text, note: "history of this name", to: href("history", { name: text }) },
  ];
}

/** Return what pldns knows by a text. Throws `ApiError` where pldns answers none of the questions. */
export async function foundHits(text: string, signal: AbortSignal): Promise<Hit[]> {
  const asked = await Promise.allSettled([zones(text, signal), nodes(text, signal), findings(text, signal)]);
  const failed = asked.find((each) => each.status === "rejected");
  if (failed && asked.every((each) => each.status === "rejected")) {
    throw failed.reason instanceof ApiError ? failed.reason : new ApiError(0, "", String(failed.reason));
  }
  return asked.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
}

async function zones(text: string, signal: AbortSignal): Promise<Hit[]> {
  const { items } = await get("/v1/zones", { limit: ZONES }, { signal });
  const wanted = text.toLowerCase().replace(/\.$/, "");
  return items
    .map((each) => each.zone.replace(/\.$/, ""))
    .filter((each) => each.includes(wanted))
    .sort((one, other) => one.length - other.length)
    .slice(0, MOST_OF_A_KIND)
    .map((each) => ({ icon: "zones", title: each, note: "zone", to: href("zones", { zone: each }) }));
}

/** Return networks, VNets and endpoints. An endpoint that was found by a name leads also to the answer for the name. */
async function nodes(text: string, signal: AbortSignal): Promise<Hit[]> {
  const { items } = await get("/v1/map/search", { text }, { signal });
  const hits: Hit[] = [];
  const counts = new Map<string, number>();
  for (const each of items) {
    const count = (counts.get(each.kind) ?? 0) + 1;
    counts.set(each.kind, count);
    if (count > MOST_OF_A_KIND) continue;
    if (isName(each.reason) && each.reason !== text) {
      hits.push({
        icon: "explain",
        title: each.reason,
        note: `name of ${each.label}`,
        to: href("explain", { name: each.reason }),
      });
    }
    hits.push({
      icon: each.kind === "network" || each.kind === "vnet" ? each.kind : "endpoint",
      title: each.label,
      note: [
        each.kind === "vnet" ? "VNet" : each.kind,
        each.kind === "endpoint" ? each.note : "",
        reason(each.reason),
      ]
        .filter(Boolean)
        .join(" · "),
      to: href("map", { focus: each.id }),
    });
  }
  return hits;
}

function reason(text: string): string {
  return text.startsWith("/") ? shortId(text) : text;
}

async function findings(text: string, signal: AbortSignal): Promise<Hit[]> {
  const { items } = await get("/v1/findings", { name: [text], limit: MOST_OF_A_KIND }, { signal });
  return items.map((each) => ({
    icon: "findings",
    title: each.code,
    note: `finding · ${each.severity} · ${shortId(each.subject)}`,
    to: href("findings", { name: text, code: each.code }),
  }));
}
