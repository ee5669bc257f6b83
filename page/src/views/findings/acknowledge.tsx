// Acknowledging a finding, with a note and an end; and withdrawing that.

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { ApiError, post } from "../../api/client";
import type { Finding } from "../../api/schema";
import { Dialog } from "../../components/dialog";
import { ErrorBox } from "../../components/states";
import { Text } from "../../components/text";
import { toast } from "../../components/toast";

export function Acknowledge(props: {
  finding: Finding;
  close: () => void;
  changed: () => void;
}): JSX.Element {
  const { finding, close, changed } = props;
  const [note, setNote] = useState("");
  const [until, setUntil] = useState("");
  const [error, setError] = useState<ApiError>();
  const [sending, setSending] = useState(false);
  const [noteId, untilId] = [useId(), useId()];
  const send = (): void => {
    setSending(true);
    const ends = until ? new Date(`${until}T23:59:59`).toISOString() : null;
    post("/v1/findings/{id}/acknowledge", { note, until: ends }, { id: finding.id }).then(
      () => {
        toast("Acknowledged.");
        close();
        changed();
      },
      (failure: unknown) => {
        setSending(false);
        setError(failure instanceof ApiError ? failure : new ApiError(0, "", String(failure)));
      },
    );
  };
  return (
    <Dialog title="Acknowledge a finding" close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <p>
          <Text value={`${finding.code}: ${finding.subject}`} />
        </p>
        <p class="quiet">It stays in the list and is not counted as open, while it says the same.</p>
        {error && <ErrorBox error={error} />}
        <label for={noteId}>Why it may stay</label>
        <textarea
          id={noteId}
          rows={3}
          required
          maxLength={500}
          value={note}
          onInput={(event) => {
            setNote(event.currentTarget.value);
          }}
        />
        <label for={untilId}>Until (empty: without an end)</label>
        <input
          id={untilId}
          type="date"
          value={until}
          onInput={(event) => {
            setUntil(event.currentTarget.value);
          }}
        />
        <p class="actions">
          <button class="primary" disabled={sending}>
            Acknowledge
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}

export function Withdraw(props: { finding: Finding; changed: () => void }): JSX.Element {
  const { finding, changed } = props;
  return (
    <button
      type="button"
      onClick={() => {
        post("/v1/findings/{id}/withdraw", {}, { id: finding.id }).then(
          () => {
            toast("The finding is open again.");
            changed();
          },
          (failure: unknown) => {
            toast(failure instanceof Error ? failure.message : String(failure), "problem");
          },
        );
      }}
    >
      Withdraw the acknowledgement
    </button>
  );
}
