// Short messages that go away by themselves. Screen readers say them.

import type { JSX } from "preact";
import { visible } from "../format";
import { Store, useStore } from "../state/store";

interface Message {
  readonly id: number;
  readonly text: string;
  readonly kind: "note" | "problem";
}

const SHOWN = 5000;
const messages = new Store<readonly Message[]>([]);
let last = 0;

export function toast(text: string, kind: Message["kind"] = "note"): void {
  last += 1;
  const id = last;
  messages.set([...messages.value.filter((each) => each.text !== text), { id, text, kind }]);
  setTimeout(() => {
    messages.set(messages.value.filter((each) => each.id !== id));
  }, SHOWN);
}

export function Toasts(): JSX.Element {
  const shown = useStore(messages);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map((each) => (
        <p key={each.id} class={each.kind}>
          {visible(each.text)}
        </p>
      ))}
    </div>
  );
}
