// Removing upstream replies from the caches of all workers, after a confirmation.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, post } from "../../api/client";
import { Dialog } from "../../components/dialog";
import { ErrorBox } from "../../components/states";
import { Text } from "../../components/text";
import { toast } from "../../components/toast";
import { counted } from "../../format";

/** The name below which all names are. */
export const EVERYTHING = ".";

/** `name`: the name to remove, or `EVERYTHING`. `type`: the type that is shown, which may be the only one to remove. */
export function FlushDialog(props: {
  name: string;
  type: string;
  close: () => void;
  done: () => void;
}): JSX.Element {
  const { name, type, close, done } = props;
  const all = name === EVERYTHING;
  const [below, setBelow] = useState(false);
  const [only, setOnly] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const flush = (): void => {
    setBusy(true);
    post("/v1/cache", { action: "flush", name, subtree: all || below, type: only ? type : null }).then(
      ({ flushed, silent }) => {
        const unsure = silent.length
          ? ` ${counted(silent.length, "worker")} did not answer and may still have some.`
          : "";
        toast(`Removed ${counted(flushed, "upstream reply", "upstream replies")}.${unsure}`);
        close();
        done();
      },
      (failure: unknown) => {
        setBusy(false);
        setError(failure instanceof ApiError ? failure : new ApiError(0, "", String(failure)));
      },
    );
  };
  return (
    <Dialog
      title={all ? "Remove all upstream replies" : "Remove the upstream replies for a name"}
      close={close}
    >
      <p>
        {all ? (
          "Every worker removes all upstream replies, and asks upstream servers again for each name that clients ask for. Until then, answers are slower, and expired answers cannot help when an upstream server is down."
        ) : (
          <>
            Every worker removes its upstream replies for{" "}
            <strong>
              <Text value={name} />
            </strong>
            , and asks an upstream server again when a client asks. Answers from endpoints and zones stay.
          </>
        )}
      </p>
      {error && <ErrorBox error={error} />}
      {!all && (
        <>
          <Check label="Also all names below it" checked={below} change={setBelow} />
          <Check label={`Only the type ${type}`} checked={only} change={setOnly} />
        </>
      )}
      <div class="actions">
        <button type="button" class="primary" disabled={busy} onClick={flush}>
          {all ? "Remove all" : "Remove"}
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

function Check(props: { label: string; checked: boolean; change: (checked: boolean) => void }): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={props.checked}
        onChange={(event) => {
          props.change(event.currentTarget.checked);
        }}
      />
      {props.label}
    </label>
  );
}
