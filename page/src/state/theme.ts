// Light or dark: as the system says, unless the reader has chosen.

import { Store } from "./store";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
const KEY = "pldns-theme";

export const theme = new Store<Theme>(kept());

/** Use a theme, and keep the choice in this browser. */
export function choose(chosen: Theme): void {
  theme.set(chosen);
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // A browser that keeps nothing still shows the theme.
  }
  apply();
}

/** Show the page in the theme. */
export function apply(): void {
  document.documentElement.dataset.theme = theme.value;
}

function kept(): Theme {
  try {
    return THEMES.find((each) => each === localStorage.getItem(KEY)) ?? "auto";
  } catch {
    return "auto";
  }
}
