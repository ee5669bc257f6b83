// Every view: its address, its name, its place in the navigation, and its module, which is loaded when it is shown.
// A new view is one line here and one module in `views/`.

import type { ComponentType } from "preact";

export interface ViewProps {
  /** The filters in the address. */
  readonly query: URLSearchParams;
}

export interface View {
  /** The last segment of its address. */
  readonly path: string;
  readonly title: string;
  readonly section: "Estate" | "Queries" | "System";
  /** The navigation has the view only where the person has a role in a registry. */
  readonly needs?: "registry";
  readonly load: () => Promise<{ readonly default: ComponentType<ViewProps> }>;
}

export const VIEWS: readonly View[] = [
  { path: "", title: "Overview", section: "Estate", load: () => import("./views/overview") },
  { path: "findings", title: "Findings", section: "Estate", load: () => import("./views/findings") },
  { path: "explain", title: "Explain", section: "Queries", load: () => import("./views/explain") },
  { path: "map", title: "Map", section: "Estate", load: () => import("./views/map") },
  {
    path: "registry",
    title: "Registry",
    section: "Estate",
    needs: "registry",
    load: () => import("./views/registry"),
  },
  { path: "networks", title: "Networks", section: "Estate", load: () => import("./views/networks") },
  { path: "zones", title: "Zones", section: "Estate", load: () => import("./views/zones") },
  { path: "queries", title: "Live queries", section: "Queries", load: () => import("./views/queries") },
  { path: "history", title: "History", section: "Queries", load: () => import("./views/history") },
  { path: "sources", title: "Sources", section: "System", load: () => import("./views/sources") },
  { path: "upstreams", title: "Upstreams", section: "System", load: () => import("./views/upstreams") },
  { path: "cache", title: "Cache", section: "System", load: () => import("./views/cache") },
];

/** Return whether a view is of use: with no role but one in the registry, only that of the registry is. */
export function isFor(view: View, onlyRegistry: boolean): boolean {
  return !onlyRegistry || view.needs === "registry";
}

/** Load the modules of all views, so that each can be opened while pldns cannot be reached. */
export function loadAll(): void {
  for (const each of VIEWS) each.load().catch(() => undefined); // a view that is opened tries again
}
