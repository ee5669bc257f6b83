// Whether the page has the data of now: a word in the frame of every view, and a banner when it has not.

import type { JSX } from "preact";
import { clock } from "../format";
import { identity } from "../state/identity";
import { link } from "../state/live";
import { useStore } from "../state/store";
import { Badge } from "./badge";
import { SignIn } from "./states";
import { Text } from "./text";

export function Connection(): JSX.Element {
  const { state, since } = useStore(link);
  return (
    <span class="connection" title={state === "live" ? "The page follows pldns." : undefined}>
      {state === "live" && <Badge tone="good">live</Badge>}
      {state === "connecting" && <Badge tone="neutral">connecting</Badge>}
      {state === "lost" && <Badge tone="error">{`lost since ${clock(since)}`}</Badge>}
    </span>
  );
}

export function Banner(): JSX.Element | null {
  const known = useStore(identity);
  const { state, since, refused } = useStore(link);
  if (known === null) {
    return (
      <p class="banner" role="alert">
        You are signed out; what is below may be old. <SignIn />
      </p>
    );
  }
  if (state !== "lost") return null;
  if (refused) {
    return (
      <p class="banner" role="alert">
        pldns sends no live data since {clock(since)}: <Text value={refused.message} />. The page tries again
        by itself.
      </p>
    );
  }
  return (
    <p class="banner" role="alert">
      pldns cannot be reached since {clock(since)}. What is below is from then. The page tries again by
      itself.
    </p>
  );
}
