// Whose client an address is: its network, the prefix that decides, and other prefixes that hold it.

import type { JSX } from "preact";
import { get, type Reply } from "../../api/client";
import { Badge } from "../../components/badge";
import { Loaded } from "../../components/states";
import { Copy, Some, Text } from "../../components/text";
import { href, Link } from "../../router";
import { useResource } from "../../state/resource";
import { NetworkDetail } from "./detail";

type Explanation = Reply<"/v1/explain">;

/** A name that no endpoint has: only the network of the client is of interest. */
const NO_NAME = "client.invalid";

export function ClientMatch(props: { address: string }): JSX.Element {
  const { address } = props;
  const read = useResource(
    (signal) => get("/v1/explain", { name: NO_NAME, client: address }, { signal }),
    [address],
  );
  return (
    <section aria-label="The client">
      <Loaded resource={read}>{(found) => <Match found={found} />}</Loaded>
    </section>
  );
}

function Match(props: { found: Explanation }): JSX.Element {
  const { client, access, access_by, network } = props.found;
  const { name, prefix, listener, others, nearest } = network;
  return (
    <>
      <div class="answer">
        <p>
          {name === null ? (
            <>
              <Badge tone="warning">no network</Badge> <Text value={client} /> is the client of no network. It
              gets public answers for the names of private endpoints. To change that, add its prefix to{" "}
              <code>networks</code> in the configuration.
            </>
          ) : (
            <>
              <Text value={client} /> is a client of{" "}
              <strong>
                <Text value={name} />
              </strong>
              {prefix && (
                <>
                  , by its prefix <Copy value={prefix} />
                </>
              )}
              {listener && (
                <>
                  , by the listen address <Copy value={listener} />
                </>
              )}
              .
            </>
          )}
        </p>
        {others.length > 0 && (
          <p class="note">
            Shorter prefixes hold it too, but the longest decides: <Some values={others} />
          </p>
        )}
        {nearest.length > 0 && (
          <p class="note">
            The nearest prefixes: <Some values={nearest} />
          </p>
        )}
        <p class="note">
          {access === "allowed" ? (
            "It may ask pldns"
          ) : (
            <>
              <Badge tone="error">{access}</Badge> pldns does not answer its queries
            </>
          )}
          {access_by && (
            <>
              , by <Copy value={access_by} />
            </>
          )}
          . <Link to={href("queries", { client })}>Its live queries</Link>
        </p>
      </div>
      {name !== null && <NetworkDetail name={name} />}
    </>
  );
}
