// Links from what a text names - an endpoint, a name, an address, a network - to the view that has more about it.

import type { JSX } from "preact";
import { groupOf, shortId, visible } from "../format";
import { href, Link } from "../router";
import { Copy, Text } from "./text";

/** Return whether a text is the id of a private endpoint. */
export function isEndpoint(text: string): boolean {
  return /\/privateendpoints\/[^/]+$/i.test(text);
}

/** Return the address of the map with an endpoint in focus. */
export function onMap(endpoint: string): string {
  return href("map", { focus: `endpoint:${endpoint.toLowerCase()}` });
}

/** An endpoint: its name leads to the map. */
export function EndpointLink(props: { id: string }): JSX.Element {
  const group = groupOf(props.id);
  if (!isEndpoint(props.id)) return <Copy value={props.id} shown={shortId(props.id)} />;
  return (
    <span class="resource">
      <Link class="target" to={onMap(props.id)} title={visible(props.id)}>
        <Text value={shortId(props.id)} />
      </Link>
      {group && (
        <span class="quiet">
          {" "}
          <Text value={group} />
        </span>
      )}
    </span>
  );
}
