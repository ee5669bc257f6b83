// Names that a person may want to have explained: those that were explained since the page was opened, and those that
// fell back to public answers. They are kept in memory only.

import type { JSX } from "preact";
import { Text } from "../../components/text";
import { href, Link } from "../../router";
import { overview } from "../../state/live";
import { useStore } from "../../state/store";

const MOST = 8;
let explained: readonly string[] = [];

export function remember(name: string): void {
  explained = [name, ...explained.filter((each) => each !== name)].slice(0, MOST);
}

/** Return the names to offer, the last explained one first. */
export function useOffered(): string[] {
  const fallen = useStore(overview)?.fallbacks ?? [];
  return [...new Set([...explained, ...fallen.map((each) => each.name)])];
}

export function Offered(): JSX.Element {
  const fallen = useStore(overview)?.fallbacks.map((each) => each.name) ?? [];
  return (
    <>
      <p class="empty">Type a name, or an address for its PTR name.</p>
      <Names title="Explained before" names={explained} />
      <Names title="Fell back to public answers" names={[...new Set(fallen)]} />
    </>
  );
}

function Names(props: { title: string; names: readonly string[] }): JSX.Element | null {
  if (!props.names.length) return null;
  return (
    <section aria-label={props.title}>
      <h2>{props.title}</h2>
      <ul class="offered">
        {props.names.map((name) => (
          <li key={name}>
            <Link class="target" to={href("explain", { name })}>
              <Text value={name} />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
