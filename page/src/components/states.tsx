// What a view shows when there is nothing to show: while it reads, when there is nothing, and when reading failed.

import type { ComponentChildren, JSX } from "preact";
import type { ApiError } from "../api/client";
import type { Resource } from "../state/resource";
import { Text } from "./text";

const ADVICE: Record<string, string> = {
  unreachable: "Check that pldns runs, and the way to it. The page tries again by itself.",
  "token-missing": "Sign in.",
  "token-invalid": "Sign in again: the session or its token has ended.",
  "role-too-low": "Ask somebody with that role, or sign in as somebody else.",
  "unknown-value": "Change the filter.",
  "too-many-streams": "Close other pages of pldns that follow live data.",
  "no-worker": "The processes that answer queries do not reply. `pldns status` and the log say why.",
  "no-history": "The state directory may be missing or damaged: see the findings.",
  "state-unwritable": "Make room in the state directory of pldns, or mend its permissions.",
  "cross-site": "Open the page at its own address, and try again.",
  changed: "Somebody else has changed this. Read it again, then decide.",
};

/** An error of pldns, with what to do about it. */
export function ErrorBox(props: { error: ApiError; retry?: () => void }): JSX.Element {
  const { error, retry } = props;
  const advice = ADVICE[error.code];
  return (
    <div class="problem" role="alert">
      <p>
        <Text value={error.message} />
      </p>
      {advice && <p>{advice}</p>}
      {error.code === "" && error.status >= 500 && <p>The log of pldns has more.</p>}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty(props: { children: ComponentChildren }): JSX.Element {
  return <p class="empty">{props.children}</p>;
}

export function Loading(): JSX.Element {
  return (
    <p class="loading" role="status">
      Reading…
    </p>
  );
}

/** The data of a resource; in its place, or beside old data, that it is being read or why that failed. */
export function Loaded<T>(props: {
  resource: Resource<T>;
  children: (data: T) => ComponentChildren;
}): JSX.Element {
  const { data, error, reload } = props.resource;
  return (
    <>
      {error && <ErrorBox error={error} retry={reload} />}
      {data === undefined ? !error && <Loading /> : props.children(data)}
    </>
  );
}
