// A sync that pldns holds, because it would remove too much: what it would remove, and the decision about it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, get, post, type Reply } from "../../api/client";
import { Dialog } from "../../components/dialog";
import { ErrorBox, Loaded } from "../../components/states";
import { Copy, ResourceId, Text, When } from "../../components/text";
import { toast } from "../../components/toast";
import { counted } from "../../format";
import { useMay } from "../../state/identity";
import { useResource } from "../../state/resource";
import type { Source } from "../sources";

type Endpoint = Reply<"/v1/endpoints">["items"][number];
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
      <p>
        Held since <When at={held.since} />; read <When at={held.read} />. pldns serves the data from before.
        The sync would remove:
      </p>
      <ul>
        {held.reasons.map((each) => (
          <li key={each}>
            <Text value={each} />
          </li>
        ))}
      </ul>
      <Removed ids={held.ids} more={Math.max(0, total - held.ids.length)} />
      {may && (
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
        </div>
      )}
      {action && (
        <Decide
          name={source.name}
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

/** The names that the sync would remove, by endpoint. `more`: the number of resources that are not in `ids`. */
function Removed(props: { ids: readonly string[]; more: number }): JSX.Element {
  const { ids, more } = props;
  const read = useResource((signal) => endpoints(ids, signal), [ids]);
  return (
    <Loaded resource={read}>
      {(found) => (
        <ul class="diff" aria-label="What the sync would remove">
          {ids.map((id) => (
            <li key={id}>
              <span aria-hidden="true">− </span>
              <ResourceId value={id} />
              <ul>
                {found.get(id.toLowerCase())?.records.map((record) => (
                  <li key={record.fqdn}>
                    <del>
                      <Copy value={record.fqdn} /> <Text value={record.addresses.join(", ")} />
                    </del>
                  </li>
                ))}
              </ul>
            </li>
          ))}
          {more > 0 && <li class="quiet">and {counted(more, "more resource")}</li>}
        </ul>
      )}
    </Loaded>
  );
}

/** Return the endpoints with these ids, by id in lower case. An id of another resource has none. */
async function endpoints(ids: readonly string[], signal: AbortSignal): Promise<Map<string, Endpoint>> {
  const wanted = new Set(ids.map((each) => each.toLowerCase()));
  const name = [...new Set(ids.map((each) => each.split("/").pop() ?? each))];
  if (!name.length) return new Map();
  const { items } = await get("/v1/endpoints", { limit: 1000, name }, { signal });
  return new Map(
    items.map((each) => [each.id.toLowerCase(), each] as const).filter(([id]) => wanted.has(id)),
  );
}

function Decide(props: {
  name: string;
  action: Action;
  close: () => void;
  changed: () => void;
}): JSX.Element {
  const { name, action, close, changed } = props;
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const words = EFFECT[action];
  const decide = (): void => {
    setBusy(true);
    post("/v1/sources/{name}/sync", { action, wait: 0 }, { name }).then(
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
      <p>{words.effect}</p>
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
