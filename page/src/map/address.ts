// The address of a map: what is in focus, and what is open. Every state of the map has one, so it can be sent.

import type { EstateMap, MapRest, Severity } from "../api/schema";
import { href } from "../router";

type Detail = EstateMap["detail"];

/** Open or closed services that an address keeps at most; the oldest are forgotten. */
const KEPT = 24;

export class Address {
  readonly focus: string | null;
  readonly open: readonly string[];
  readonly closed: readonly string[];
  readonly detail: Detail | undefined;
  readonly severity: readonly Severity[];
  readonly skip: number;

  constructor(query: URLSearchParams) {
    this.focus = query.get("focus");
    this.open = query.getAll("open");
    this.closed = query.getAll("closed");
    this.detail = (["services", "endpoints"] as const).find((each) => each === query.get("detail"));
    this.severity = query.getAll("severity") as Severity[];
    this.skip = Number(query.get("skip")) || 0;
  }

  /** What is asked of the admin interface. */
  get question(): Record<string, string | number | readonly string[]> {
    const { focus, open, closed, detail, severity, skip } = this;
    return { ...(focus && { focus }), ...(detail && { detail }), open, closed, severity, skip };
  }

  /** Return the address with a node in focus. A service in focus is open. */
  to(id: string | undefined): string {
    const opened = id?.startsWith("service:") && this.detail !== "endpoints" ? [id] : [];
    return this.with({
      focus: id,
      open: latest([...this.open.filter((each) => each !== id || !opened.length), ...opened]),
      closed: this.closed.filter((each) => each !== id),
    });
  }

  /** Return the address with a service opened or closed. What is in focus in a service that is closed loses it. */
  toggled(id: string, { detail, nodes }: EstateMap): string {
    const isOpen = nodes.some((each) => each.id === id && each.open);
    const inside = nodes.find((each) => each.id === this.focus)?.inside;
    const focus = isOpen && (this.focus === id || inside === id) ? undefined : (this.focus ?? undefined);
    const kept = (some: readonly string[]): string[] => some.filter((each) => each !== id);
    return detail === "services"
      ? this.with({ focus, open: isOpen ? kept(this.open) : latest([...kept(this.open), id]) })
      : this.with({ focus, closed: isOpen ? latest([...kept(this.closed), id]) : kept(this.closed) });
  }

  /** Return the address with everything open, or everything closed. */
  all(detail: Detail): string {
    const focus = this.focus?.startsWith("service:") ? undefined : (this.focus ?? undefined);
    return this.with({ focus, detail, open: [], closed: [] });
  }

  /** Return the address of what a map leaves out; nothing where the map cannot go on. */
  following(rest: MapRest): string | undefined {
    const next = rest.skipped + rest.shown;
    if (next >= rest.total || !rest.shown) return undefined;
    if (rest.inside === "vnet") return this.with({ focus: undefined, skip: String(next) });
    return rest.inside.startsWith("service:")
      ? this.with({ focus: rest.inside, skip: String(next) })
      : undefined;
  }

  private with(changes: Partial<Record<"focus" | "detail" | "skip", string | undefined>> & Lists): string {
    const { open, closed, severity, detail, focus } = this;
    return href("map", { focus: focus ?? undefined, detail, open, closed, severity, ...changes });
  }
}

interface Lists {
  open?: readonly string[];
  closed?: readonly string[];
}

function latest(ids: readonly string[]): string[] {
  return ids.slice(-KEPT);
}
