// Cells of the lists of the registry: resources, names, states and values.

import type { JSX } from "preact";
import type { Reply } from "../../api/client";
import { Badge, type Tone } from "../../components/badge";
import { Copy, ResourceId, Text } from "../../components/text";
import { href, Link } from "../../router";

type Endpoint = Reply<"/v1/registry/endpoints">["items"][number];

export const STATES = ["Approved", "Pending", "Rejected", "Disconnected"] as const;
export type State = (typeof STATES)[number];
const TONES: Record<State, Tone> = {
  Approved: "good",
  Pending: "warning",
  Rejected: "error",
  Disconnected: "neutral",
};

/** A resource, with the subscription that it is in. */
export function Resource(props: { id: string }): JSX.Element {
  const subscription = props.id.split("/")[2] ?? "";
  return (
    <>
      <ResourceId value={props.id} />
      {subscription && (
        <div class="note">
          subscription <Copy value={subscription} />
        </div>
      )}
    </>
  );
}

export function Names(props: { endpoint: Endpoint }): JSX.Element {
  const { names, state } = props.endpoint;
  if (!names.length) return <span class="quiet">{state === "Pending" ? "after the approval" : "none"}</span>;
  return (
    <>
      {names.map((each) => (
        <div key={each}>
          <Link class="target" to={href("explain", { name: each })}>
            <Text value={each} />
          </Link>
        </div>
      ))}
    </>
  );
}

export function StateShown(props: { state: string; why: string }): JSX.Element {
  return (
    <>
      <Badge tone={TONES[props.state as State]}>{props.state}</Badge>
      {props.why && (
        <div class="note">
          <Text value={props.why} />
        </div>
      )}
    </>
  );
}

export function Values(props: { values: readonly string[] }): JSX.Element {
  if (!props.values.length) return <span class="quiet">none</span>;
  return (
    <>
      {props.values.map((each) => (
        <div key={each}>
          <Copy value={each} />
        </div>
      ))}
    </>
  );
}
