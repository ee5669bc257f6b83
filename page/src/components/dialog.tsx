// A dialog: the browser keeps the focus in it, closes it with Escape, and gives the focus back.

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
    box.current?.showModal();
  }, []);
  return (
    <dialog ref={box} aria-labelledby={heading} onClose={props.close}>
      <h2 id={heading}>{props.title}</h2>
      {props.children}
    </dialog>
  );
}
