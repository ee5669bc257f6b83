// The overview that pldns sends every two seconds, and whether pldns can be reached. A page that loses pldns tries again
// until it is back, and keeps what it has shown. A page that nobody sees for a minute gives its connection back.

import { address, refusal, type ApiError } from "../api/client";
import type { Overview } from "../api/schema";
import { identify } from "./identity";
import { Store } from "./store";

export interface Link {
  /** `lost` after a failure, until pldns answers again. `denied`: the role does not permit to see the overview. */
  readonly state: "connecting" | "live" | "lost" | "denied";
  /** When the last overview arrived; when the page was opened, before the first. */
  readonly since: Date;
  /** Why it was lost, where pldns says so. */
  readonly refused?: ApiError;
}

const LONGEST = 15_000;
const HIDDEN = 60_000;
/** Milliseconds without an overview after which a connection is not trusted any more. */
const SILENT = 10_000;

export const overview = new Store<Overview | undefined>(undefined);
export const link = new Store<Link>({ state: "connecting", since: new Date() });

let source: EventSource | undefined;
let failures = 0;
let retry: ReturnType<typeof setTimeout> | undefined;
let silence: ReturnType<typeof setTimeout> | undefined;
let hidden: ReturnType<typeof setTimeout> | undefined;

/** Follow pldns while the page is open. */
export function follow(): void {
  connect();
  addEventListener("online", connect);
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(disconnect, HIDDEN);
    else if (!source) connect();
  });
}

function connect(): void {
  disconnect();
  source = new EventSource(address("/v1/live"));
  source.addEventListener("overview", (event: MessageEvent<string>) => {
    overview.set(JSON.parse(event.data) as Overview);
    if (link.value.state === "lost") void identify();
    link.set({ state: "live", since: new Date() });
    failures = 0;
    watch();
  });
  source.addEventListener("error", () => void failed());
  watch();
}

/** Find out why the connection has failed: pldns may have refused it. */
async function failed(): Promise<void> {
  disconnect();
  if (link.value.state === "live") link.set({ state: "lost", since: link.value.since });
  const why = await refusal(address("/v1/live"));
  if (source) return; // a new connection was begun
  if (why?.code === "role-too-low") link.set({ state: "denied", since: link.value.since });
  else lose(why);
}

function watch(): void {
  clearTimeout(silence);
  silence = setTimeout(() => {
    lose();
  }, SILENT);
}

function disconnect(): void {
  clearTimeout(retry);
  clearTimeout(silence);
  source?.close();
  source = undefined;
}

function lose(why?: ApiError): void {
  disconnect();
  const { since } = link.value;
  link.set({ state: "lost", since, ...(why?.status && { refused: why }) });
  const wait = Math.min(1000 * 2 ** failures, LONGEST) * (0.75 + Math.random() / 2);
  failures += 1;
  retry = setTimeout(connect, wait);
}
