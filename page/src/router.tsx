// Addresses: one for each view with its filters, so that any state of the page can be sent to a colleague. The view is
// the last segment of the path; everything else is in the query.

import type { ComponentChildren, JSX } from "preact";
import { Store, useStore } from "./state/store";

export interface Place {
  readonly view: string;
  readonly query: URLSearchParams;
}

/** Values of the query of an address; an empty one is left out. */
export type Values = Readonly<Record<string, string | readonly string[] | undefined>>;

const root = location.pathname.replace(/[^/]*$/, "");

export const place = new Store<Place>(here());

function here(): Place {
  return { view: location.pathname.slice(root.length), query: new URLSearchParams(location.search) };
}

/** Return the address of a view. */
export function href(view: string, values: Values = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const each of typeof value === "string" ? [value] : (value ?? []))
      if (each) query.append(name, each);
  }
  const text = query.toString();
  return `./${view}${text ? `?${text}` : ""}`;
}

/** Show a view. `replace`: without a step in the history of the browser, as for a filter that is being typed. */
export function navigate(to: string, how: "push" | "replace" = "push"): void {
  if (how === "push") history.pushState(null, "", to);
  else history.replaceState(null, "", to);
  place.set(here());
  if (how === "push") scrollTo(0, 0);
}

/** Show the same view with some values of its query changed. A change of the filters begins a list from its start. */
export function refine(values: Values, how: "push" | "replace" = "push"): void {
  const { view, query } = place.value;
  const all: Record<string, string | readonly string[] | undefined> = {};
  for (const name of query.keys()) all[name] = query.getAll(name);
  if (!("cursor" in values)) delete all.cursor;
  navigate(href(view, { ...all, ...values }), how);
}

export function usePlace(): Place {
  return useStore(place);
}

/** Follow the buttons of the browser. */
export function start(): void {
  addEventListener("popstate", () => {
    place.set(here());
  });
}

/** A link to a view. It works as any link: it can be opened in a new tab, and copied. */
export function Link(props: {
  to: string;
  children: ComponentChildren;
  class?: string;
  title?: string;
  current?: boolean;
}): JSX.Element {
  const { to, children, current, ...rest } = props;
  const follow = (event: MouseEvent): void => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a {...rest} href={to} aria-current={current ? "page" : undefined} onClick={follow}>
      {children}
    </a>
  );
}
