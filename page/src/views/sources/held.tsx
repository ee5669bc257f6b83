// A sync that pldns holds, because it would remove too much: what it would remove, and the decision about it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, post } from "../../api/client";
import { Dialog } from "../../components/dialog";
import { ErrorBox } from "../../components/states";
import { Text, When } from "../../components/text";
import { toast } from "../../components/toast";
import { counted, share } from "../../format";
import { useMay } from "../../state/identity";
import type { Source } from "../sources";
import { HeldNames } from "./held-names";

type Action = "accept" | "drop";

const EFFECT: Record<Action, { title: string; button: string; effect: string; done: string }> = {
  accept: {
    title: "Accept the held sync",
    button: "Accept",
    effect: "pldns removes these resources, and stops answering names that no other endpoint has.",
    done: "Accepted.",
  },
  drop: {
    title: "Drop the held sync",
    button: "Drop",
    effect:
      "pldns keeps its present data. The next sync is checked as usual, and is held again if it still removes as much.",
    done: "Dropped.",
  },
};

export function Held(props: { source: Source; changed: () => void }): JSX.Element | null {
  const { source, changed } = props;
  const [action, setAction] = useState<Action>();
  const may = useMay("operate");
  const held = source.sync.held;
  if (!held) return null;
  const total = held.endpoints + held.vnets + held.zone_groups;
  return (
    <section class="held" aria-label={`Held sync of ${source.name}`}>
      <h2>
        A sync of <Text value={source.name} /> is held
      </h2>
      <p>It would remove {removed(source)}. pldns serves the data from before until somebody decides.</p>
      <p class="note">
        Held since <When at={held.since} />; read <When at={held.read} />. Why: a sync may not remove, without
        a decision,{" "}
        {held.reasons.map((each, index) => (
          <span key={each}>
            {index > 0 && "; "}
            <strong>
              <Text value={each} />
            </strong>
          </span>
        ))}
        .
      </p>
      <h3>What clients would notice</h3>
      <HeldNames ids={held.ids} more={Math.max(0, total - held.ids.length)} />
      {may ? (
        <div class="actions">
          {(["accept", "drop"] as const).map((each) => (
            <button
              key={each}
              type="button"
              onClick={() => {
                setAction(each);
              }}
            >
              {EFFECT[each].button}
            </button>
          ))}
          <p class="note">
            Accept if these resources were deleted. Drop if the data is wrong: a mistake in a file, or a lost
            permission.
          </p>
        </div>
      ) : (
        <p class="note">The role operate may accept or drop it.</p>
      )}
      {action && (
        <Decide
          source={source}
          action={action}
          close={() => {
            setAction(undefined);
          }}
          changed={changed}
        />
      )}
    </section>
  );
}

/** Return what a held sync would remove, such as `8 of 20 private endpoints (40%)`. */
function removed(source: Source): string {
  const { sync, endpoints, vnets } = source;
  const { held } = sync;
  if (!held) return "nothing";
  const part = (gone: number, all: number, noun: string): string =>
    all > gone
      ? `${gone} of ${counted(all, noun)} (${share(gone / all)})`
      : `all ${counted(gone, noun)} (100%)`;
  return [
    held.endpoints ? part(held.endpoints, endpoints, "private endpoint") : "",
    held.vnets ? part(held.vnets, vnets, "virtual network") : "",
    held.zone_groups ? counted(held.zone_groups, "DNS zone group") : "",
  ]
    .filter(Boolean)
    .join(", ");
}

function Decide(props: {
  source: Source;
  action: Action;
  close: () => void;
  changed: () => void;
}): JSX.Element {
  const { source, action, close, changed } = props;
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const words = EFFECT[action];
  const decide = (): void => {
    setBusy(true);
    post("/v1/sources/{name}/sync", { action, wait: 0 }, { name: source.name }).then(
      () => {
        toast(words.done);
        close();
        changed();
      },
      (failure: unknown) => {
        setBusy(false);
        setError(failure instanceof ApiError ? failure : new ApiError(0, "", String(failure)));
      },
    );
  };
  return (
    <Dialog title={words.title} close={close}>
      <p>
        Source <Text value={source.name} />: {removed(source)}. {words.effect}
      </p>
      {error && <ErrorBox error={error} />}
      <div class="actions">
        <button type="button" class="primary" disabled={busy} onClick={decide}>
          {words.button}
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
