// Filters of a list. Each one is in the address of the view, so that a filtered list can be sent to a colleague.

import type { JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { refine, usePlace } from "../router";

const TYPING = 400;

/** A choice of one value. `options`: value and name. */
export function Choice(props: {
  label: string;
  name: string;
  all: string;
  options: readonly (readonly [string, string])[];
}): JSX.Element {
  const { label, name, all, options } = props;
  const { query } = usePlace();
  const id = useId();
  return (
    <div>
      <label for={id}>{label}</label>
      <select
        id={id}
        value={query.get(name) ?? ""}
        onChange={(event) => {
          refine({ [name]: event.currentTarget.value });
        }}
      >
        <option value="">{all}</option>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A text to search for. The list follows while it is typed. */
export function Search(props: { label: string; name: string; hint: string }): JSX.Element {
  const { label, name, hint } = props;
  const { query } = usePlace();
  const present = query.get(name) ?? "";
  const [text, setText] = useState(present);
  const id = useId();
  useEffect(() => {
    setText(present);
  }, [present]);
  useEffect(() => {
    if (text === present) return undefined;
    const timer = setTimeout(() => {
      refine({ [name]: text.trim() }, "replace");
    }, TYPING);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  return (
    <div class="search">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        placeholder={hint}
        value={text}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          setText(event.currentTarget.value);
        }}
      />
    </div>
  );
}
