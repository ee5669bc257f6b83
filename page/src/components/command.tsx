// A command or lines of configuration to use elsewhere, with a button that copies them.

import type { JSX } from "preact";
import { Icon } from "./icon";
import { visible } from "../format";
import { copied } from "./text";

export function Command(props: { value: string }): JSX.Element {
  return (
    <div class="command">
      <pre tabIndex={0}>
        <bdi>{props.value.split("\n").map(visible).join("\n")}</bdi>
      </pre>
      <button
        type="button"
        aria-label="Copy"
        title="Copy"
        onClick={() => {
          copied(props.value);
        }}
      >
        <Icon name="copy" />
      </button>
    </div>
  );
}
