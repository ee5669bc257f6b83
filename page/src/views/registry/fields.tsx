// Fields of a form with the error of pldns beside the field that it is about.

import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { Text } from "../../components/text";

/** What an input needs to belong to its label and its error. */
export interface At {
  readonly id: string;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby": string | undefined;
}

export function Field(props: {
  label: string;
  hint?: string;
  problem?: string | undefined;
  children: (at: At) => ComponentChildren;
}): JSX.Element {
  const { label, hint, problem, children } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        {label}
        {hint && <span class="quiet">: {hint}</span>}
      </label>
      {children({
        id,
        "aria-invalid": Boolean(problem),
        "aria-describedby": problem ? `${id}-problem` : undefined,
      })}
      {problem && (
        <p class="field-problem" id={`${id}-problem`} role="alert">
          <Text value={problem} />
        </p>
      )}
    </div>
  );
}

/** The words by which an error names its field, the most specific first. */
const WORDS: readonly (readonly [string, RegExp])[] = [
  ["sub_resource", /sub.?resource|group ?id/i],
  ["addresses", /address/i],
  ["subnet", /subnet/i],
  ["target", /target|alias|privateLinkService/i],
  ["message", /message/i],
  ["name", /\bname\b/i],
];

/** Return the field that an error is about; undefined where it names none. */
export function fieldOf(message: string): string | undefined {
  return WORDS.find(([, words]) => words.test(message))?.[0];
}
