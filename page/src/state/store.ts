// A value that several components show, and that changes outside of them.

import { useEffect, useState } from "preact/hooks";

export class Store<T> {
  readonly #followers = new Set<() => void>();

  constructor(private current: T) {}

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    if (Object.is(value, this.current)) return;
    this.current = value;
    for (const each of this.#followers) each();
  }

  /** Call `changed` after each change, until the returned function is called. */
  follow(changed: () => void): () => void {
    this.#followers.add(changed);
    return () => this.#followers.delete(changed);
  }
}

/** Return the value of a store; the component is rendered again when that changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.value);
  useEffect(() => {
    setValue(store.value);
    return store.follow(() => {
      setValue(store.value);
    });
  }, [store]);
  return value;
}
