// Small drawings beside words. Each stands next to a text that says the same, so screen readers skip it.

import type { JSX } from "preact";

const DRAWINGS = {
  overview: <path d="M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z" />,
  findings: <path d="M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.4v.2" />,
  map: (
    <path d="M4 5.5a2 2 0 1 1 0-.01M12.5 4a1.5 1.5 0 1 1 0-.01M9.5 13a1.8 1.8 0 1 1 0-.01M5.8 6l5.4-1.6M4.4 7.2l3.2 4.4" />
  ),
  registry: <path d="M3 2.5h7l3 3v8H3zM10 2.5v3h3M5.5 8.5h5M5.5 11h5" />,
  networks: <path d="M8 5.5v3M3.5 10.5v-2h9v2M6 2.5h4v3H6zM1.8 10.5h3.6v3H1.8zM10.6 10.5h3.6v3h-3.6z" />,
  zones: <path d="M8 2 14 5.2 8 8.4 2 5.2zM2.4 8.2 8 11.2l5.6-3M2.4 11 8 14l5.6-3" />,
  explain: <path d="M3 3.5h10v7.5H7.5L4.5 13.5V11H3zM6.6 6.2a1.4 1.4 0 1 1 1.5 1.5v.6M8.1 9.4v.1" />,
  queries: <path d="M1.5 8.5h3l2-5 3 9 2-4h3" />,
  history: <path d="M2.6 6.2A5.7 5.7 0 1 1 2.4 9M2.4 2.8v3.5h3.5M8 5v3.3l2.3 1.4" />,
  sources: <path d="M3 4c0-2 10-2 10 0v8c0 2-10 2-10 0zM3 4c0 2 10 2 10 0M3 8c0 2 10 2 10 0" />,
  upstreams: (
    <path d="M4.5 12.5a3 3 0 0 1-.2-6 4 4 0 0 1 7.6.6 2.7 2.7 0 0 1-.2 5.4M8 13.5V8.6M6 10.4l2-2 2 2" />
  ),
  cache: <path d="M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z" />,
  search: <path d="M7 11.5a4.5 4.5 0 1 1 .01 0M10.4 10.4l3.4 3.4" />,
  menu: <path d="M2 4h12M2 8h12M2 12h12" />,
  close: <path d="M3.5 3.5l9 9M12.5 3.5l-9 9" />,
  network: <path d="M8 5.5v3M3.5 10.5v-2h9v2M6 2.5h4v3H6zM1.8 10.5h3.6v3H1.8zM10.6 10.5h3.6v3h-3.6z" />,
  vnet: <path d="M5 4.5 1.8 8 5 11.5M11 4.5 14.2 8 11 11.5M6 8h.1M8 8h.1M10 8h.1" />,
  endpoint: <path d="M8 10.5a2.5 2.5 0 1 1 .01 0M8 1.5v4M8 10.5v4" />,
  copy: <path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" />,
  view: <path d="M3 8h9.5M8.8 4.2 12.6 8l-3.8 3.8" />,
} as const;

export type IconName = keyof typeof DRAWINGS;

export function Icon(props: { name: string }): JSX.Element | null {
  if (!(props.name in DRAWINGS)) return null;
  return (
    <svg
      class="icon"
      viewBox="0 0 16 16"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      {DRAWINGS[props.name as IconName]}
    </svg>
  );
}

/** The mark of pldns: a p around an endpoint. The same as icon.svg. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      <rect width="24" height="24" rx="6" fill="#1f5fbf" />
      <g fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round">
        <circle cx="13" cy="10.5" r="5" />
        <path d="M8 10.5v9" />
      </g>
      <circle cx="13" cy="10.5" r="1.7" fill="#9cc7ff" />
    </svg>
  );
}
