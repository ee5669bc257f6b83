// A part of the tree: a line, and what belongs to it below.

import type { ComponentChildren, JSX } from "preact";

export function Branch(props: { head: ComponentChildren; children?: ComponentChildren }): JSX.Element {
  return (
    <li>
      {props.head}
      <ul>{props.children}</ul>
    </li>
  );
}
