// Facts of a node as a list of terms, and values in it that a click copies.

import type { ComponentChildren, JSX } from "preact";
import { Copy } from "../components/text";

export function Facts(props: { children: ComponentChildren }): JSX.Element {
  return <dl class="map-facts">{props.children}</dl>;
}

export function Fact(props: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

export function Line(props: { value: string }): JSX.Element {
  return (
    <div>
      <Copy value={props.value} />
    </div>
  );
}
