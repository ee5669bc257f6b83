// What a view shows when there is nothing to show: while it reads, when there is nothing, and when reading failed.

import type { ComponentChildren, JSX } from "preact";
import type { ApiError } from "../api/client";
import { href, usePlace } from "../router";
import type { Resource } from "../state/resource";
import { Text } from "./text";

const ADVICE: Record<string, string> = {
  unreachable: "Check that pldns runs, and the way to it. The page tries again by itself.",
  "token-missing": "Your session has ended, or pldns was started again.",
  "token-invalid": "The session or its token has ended.",
  "role-too-low": "Ask somebody with that role, or sign in as somebody else.",
  "certificate-unknown": "Use another certificate, or ask for a role for it (`admin.tls.clients`).",
  "invalid-parameter": "Change what you have typed, or the address of the view.",
  "unknown-parameter": "After an update of pldns, reload the page.",
  "unknown-value": "Change the filter.",
  "invalid-body": "Change what you have typed.",
  "invalid-cursor": "The list has another order now. Show its first page.",
  "unknown-source": "The configuration has changed: show the list of sources again.",
  "unknown-zone": "Look for it in the list of zones.",
  "unknown-network": "Look for it in the list of networks.",
  "unknown-finding": "It has closed, or somebody else has acted. Show the list of findings again.",
  "nothing-held": "Somebody else has decided, or a newer sync has come. Show the list of sources again.",
  "limit-reached": "Withdraw acknowledgements that are not needed any more.",
  "no-registry": "The configuration has no registry any more.",
  "registry-invalid": "Change what you have typed.",
  "registry-forbidden": "Ask an owner of the subscription, or sign in with another token.",
  "registry-missing": "It may have been deleted. Show the list again.",
  "registry-conflict": "Show the list again: it has the present state.",
  "registry-unavailable": "Check the database of the registry. The log of pldns has more.",
  "body-too-slow": "Try again over a faster connection.",
  "foreign-host": "Use an address of pldns, or add the host name to `admin.hosts`.",
  "no-provider": "Check the way from pldns to the identity provider, or sign in with a token of pldns.",
  "too-many-streams": "Close other pages of pldns that follow live data.",
  "no-worker": "The processes that answer queries do not reply. `pldns status` and the log say why.",
  "no-history": "The state directory may be missing or damaged: see the findings.",
  "state-unwritable": "Make room in the state directory of pldns, or mend its permissions.",
  "cross-site": "Open the page at its own address, and try again.",
  changed: "Somebody else has changed this. Read it again, then decide.",
};

/** By the status, where the code says nothing. */
const ADVICE_BY_STATUS: Record<number, string> = {
  403: "Ask somebody who may do this.",
  404: "After an update of pldns, reload the page.",
  413: "Write less.",
  429: "Wait, then try again.",
  500: "The log of pldns has more.",
  502: "Check the reverse proxy in front of pldns, and that pldns runs.",
  503: "Try again later. The log of pldns has more.",
  504: "Check the reverse proxy in front of pldns, and that pldns runs.",
};

/** An error of pldns, with what to do about it. */
export function ErrorBox(props: { error: ApiError; retry?: () => void }): JSX.Element {
  const { error, retry } = props;
  const advice = ADVICE[error.code] ?? ADVICE_BY_STATUS[error.status];
  return (
    <div class="problem" role="alert">
      <p>
        <Text value={error.message} />
      </p>
      {advice && <p>{advice}</p>}
      {error.after && <p>Try again in {error.after} seconds.</p>}
      {error.status === 401 && <SignIn />}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** A link to the form, which leads back to this view. */
export function SignIn(props: { text?: string }): JSX.Element {
  const { view, query } = usePlace();
  const next = `${view}${query.size ? `?${query.toString()}` : ""}`;
  return <a href={href("sign-in", { next })}>{props.text ?? "Sign in again"}</a>;
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

/**
 * The data of a resource; in its place, or beside old data, that it is being read or why that failed. It is busy while
 * it shows the data of an earlier question.
 */
export function Loaded<T>(props: {
  resource: Resource<T>;
  children: (data: T) => ComponentChildren;
}): JSX.Element {
  const { data, error, isEarlier, reload } = props.resource;
  return (
    <div class="loaded" aria-busy={isEarlier}>
      {error && <ErrorBox error={error} retry={reload} />}
      {data === undefined ? !error && <Loading /> : props.children(data)}
    </div>
  );
}
