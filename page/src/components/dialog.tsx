// A dialog: the browser keeps the focus in it and closes it with Escape. Afterwards the control that opened it has the
// focus again; the view has it where that control is gone.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

export function Dialog(props: {
  title: string;
  close: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const opener = document.activeElement;
    box.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) giveBack(opener);
    };
  }, []);
  return (
    <dialog ref={box} aria-labelledby={heading} onClose={props.close}>
      <h2 id={heading}>{props.title}</h2>
      {props.children}
    </dialog>
  );
}

/** Give the focus to a control, and to the view once the control is gone: a change may remove it. */
function giveBack(opener: HTMLElement): void {
  const view = document.querySelector("main");
  const focus = (to: HTMLElement | null): void => {
    to?.focus({ preventScroll: true });
  };
  // The browser itself does it after this, where the dialog was closed with Escape.
  queueMicrotask(() => {
    focus(opener);
    const watch = new MutationObserver(() => {
      if (opener.isConnected) return;
      watch.disconnect();
      focus(view);
    });
    if (view) watch.observe(view, { childList: true, subtree: true });
    addEventListener(
      "focusin",
      () => {
        watch.disconnect();
      },
      { once: true },
    );
  });
}
