// The dialog in which a person decides about a connection, or deletes a private endpoint.

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { ApiError, post } from "../../api/client";
import { Dialog } from "../../components/dialog";
import { ErrorBox, Loaded } from "../../components/states";
import { ResourceId, Text } from "../../components/text";
import { toast } from "../../components/toast";
import { useMay } from "../../state/identity";
import { useResource } from "../../state/resource";
import { PreviewShown } from "./preview";

export type Action = "approve" | "reject" | "remove" | "delete";

/** What somebody is about to do, with the version of the resource that the person has seen. */
export interface Decision {
  readonly action: Action;
  readonly id: string;
  readonly etag: string;
  /** For `approve` and `reject`: what the consumer has written. */
  readonly message: string;
}

const WORDS: Record<Action, { title: string; button: string; done: string; effect: string }> = {
  approve: {
    title: "Approve the connection",
    button: "Approve",
    done: "Approved. The names of the endpoint are answered now.",
    effect: "pldns answers the names of the private endpoint from now on.",
  },
  reject: {
    title: "Reject the connection",
    button: "Reject",
    done: "Rejected.",
    effect: "pldns does not answer the names of the private endpoint from now on. You can approve it later.",
  },
  remove: {
    title: "Remove the connection",
    button: "Remove",
    done: "Removed. The endpoint is Disconnected.",
    effect: "The private endpoint becomes Disconnected: its consumer can then only delete it.",
  },
  delete: {
    title: "Delete the private endpoint",
    button: "Delete",
    done: "Deleted.",
    effect: "Its names are not answered any more, and its addresses are free after a while.",
  },
};

export function DecisionDialog(props: {
  decision: Decision;
  close: () => void;
  done: () => void;
}): JSX.Element {
  const { decision, close } = props;
  const words = WORDS[decision.action];
  const [reason, setReason] = useState("");
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const mayPreview = useMay("read");
  const field = useId();
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    send(decision, reason).then(
      () => {
        toast(words.done);
        props.done();
        close();
      },
      (failure: unknown) => {
        setError(failure instanceof ApiError ? failure : new ApiError(0, "", String(failure)));
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title={words.title} close={close}>
      <p>
        <ResourceId value={decision.id} />
      </p>
      {decision.message && (
        <p>
          The consumer writes: <Text value={decision.message} />
        </p>
      )}
      <p>{words.effect}</p>
      {mayPreview && <Effect decision={decision} />}
      {error && <ErrorBox error={error} />}
      <form onSubmit={submit}>
        {decision.action !== "delete" && (
          <p>
            <label for={field}>Reason, which both sides see</label>
            <input
              id={field}
              class="wide"
              value={reason}
              maxLength={140}
              onInput={(event) => {
                setReason(event.currentTarget.value);
              }}
            />
          </p>
        )}
        <div class="actions">
          <button class="primary" disabled={busy}>
            {words.button}
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the decision would do to names and findings. */
function Effect(props: { decision: Decision }): JSX.Element {
  const { action, id } = props.decision;
  const read = useResource(
    () => post("/v1/registry/preview", { action, name: id, endpoint: null }),
    [action, id],
  );
  return <Loaded resource={read}>{(found) => <PreviewShown preview={found} />}</Loaded>;
}

async function send(decision: Decision, reason: string): Promise<unknown> {
  const { action, id, etag } = decision;
  const parts = { name: id };
  switch (action) {
    case "approve":
      return post("/v1/registry/connections/{name}/approve", { reason, etag }, parts);
    case "reject":
      return post("/v1/registry/connections/{name}/reject", { reason, etag }, parts);
    case "remove":
      return post("/v1/registry/connections/{name}/delete", { reason, etag }, parts);
    case "delete":
      return post("/v1/registry/endpoints/{name}/delete", { etag }, parts);
  }
}
