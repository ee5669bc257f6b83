// Who is signed in, with the role, and how the page looks.

import type { JSX } from "preact";
import { identity } from "../state/identity";
import { useStore } from "../state/store";
import { choose, theme, THEMES, type Theme } from "../state/theme";
import { Badge } from "./badge";
import { SignIn } from "./states";
import { Text } from "./text";

const NAMES: Record<Theme, string> = { auto: "As the system", light: "Light", dark: "Dark" };

export function Who(): JSX.Element | null {
  const known = useStore(identity);
  if (known === undefined) return null;
  if (!known?.proven) {
    return (
      <p class="identity">
        {known && <Badge tone="neutral">{known.role}</Badge>} <SignIn text="Sign in" />
      </p>
    );
  }
  return (
    <>
      <p class="identity" title={`Role: ${known.role}`}>
        <Text value={known.name} /> <Badge tone="neutral">{known.role}</Badge>
      </p>
      {known.session && (
        <form method="post" action="../sign-out">
          <button>Sign out</button>
        </form>
      )}
    </>
  );
}

export function ThemeChoice(): JSX.Element {
  const chosen = useStore(theme);
  return (
    <select
      aria-label="Theme"
      value={chosen}
      onChange={(event) => {
        choose(event.currentTarget.value as Theme);
      }}
    >
      {THEMES.map((each) => (
        <option key={each} value={each}>
          {NAMES[each]}
        </option>
      ))}
    </select>
  );
}
