// The button that syncs a source at once, and says what the sync led to.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post, type Reply } from "../../api/client";
import { toast } from "../../components/toast";

/** Seconds that the page waits for the end of a sync. */
const WAIT = 30;

export function SyncNow(props: { name: string; changed: () => void }): JSX.Element {
  const { name, changed } = props;
  const [busy, setBusy] = useState(false);
  const text = busy ? "Syncing…" : "Sync now";
  return (
    <button
      type="button"
      disabled={busy}
      aria-label={`${text}: ${name}`}
      onClick={() => {
        setBusy(true);
        post("/v1/sources/{name}/sync", { action: "now", wait: WAIT }, { name })
          .then(
            ({ result }) => {
              toast(outcome(result), result?.outcome === "failed" ? "problem" : "note");
            },
            (failure: unknown) => {
              toast(failure instanceof Error ? failure.message : String(failure), "problem");
            },
          )
          .finally(() => {
            setBusy(false);
            changed();
          });
      }}
    >
      {text}
    </button>
  );
}

function outcome(result: Reply<"/v1/sources/{name}/sync", "post">["result"]): string {
  switch (result?.outcome) {
    case undefined:
      return "The sync is still under way.";
    case "failed":
      return `The sync failed: ${result.error}`;
    case "held":
      return "The sync is held: it would remove too much.";
    case "published": {
      const { added, changed, removed } = result.endpoints;
      return `Synced. Endpoints: ${added} added, ${changed} changed, ${removed} removed. Names with other answers: ${result.names}.`;
    }
  }
}
