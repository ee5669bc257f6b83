// The names that a held sync would change, by endpoint: the addresses before, and who has the name afterwards.

import type { JSX } from "preact";
import { get, type Reply } from "../../api/client";
import { Loaded } from "../../components/states";
import { Copy, ResourceId, Text } from "../../components/text";
import { counted } from "../../format";
import { href, Link } from "../../router";
import { useResource } from "../../state/resource";

type Endpoint = Reply<"/v1/endpoints">["items"][number];
type Claim = Reply<"/v1/claims">["items"][number];
interface Found {
  /** By id in lower case. An id of another resource has none. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  /** Claims of endpoints that stay, by public FQDN. */
  readonly others: ReadonlyMap<string, readonly Claim[]>;
}

/** Names in one request, so that its address does not become too long. */
const NAMES = 64;

/** `ids`: resources that the sync would remove. `more`: how many others it would remove. */
export function HeldNames(props: { ids: readonly string[]; more: number }): JSX.Element {
  const { ids, more } = props;
  const read = useResource((signal) => find(ids, signal), [ids]);
  return (
    <Loaded resource={read}>
      {(found) => (
        <ul class="diff" aria-label="What the sync would remove">
          {ids.map((id) => (
            <li key={id}>
              <span aria-hidden="true">− </span>
              <ResourceId value={id} />
              <ul>
                {found.endpoints.get(id.toLowerCase())?.records.map((record) => (
                  <Name
                    key={record.fqdn}
                    name={record.fqdn}
                    addresses={record.addresses}
                    others={found.others.get(record.fqdn) ?? []}
                  />
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

function Name(props: { name: string; addresses: readonly string[]; others: readonly Claim[] }): JSX.Element {
  const { name, addresses, others } = props;
  return (
    <li>
      <Link class="target" to={href("explain", { name })}>
        <Text value={name} />
      </Link>{" "}
      <del>
        {addresses.map((each) => (
          <span key={each}>
            <Copy value={each} />{" "}
          </span>
        ))}
      </del>
      <span aria-hidden="true">→ </span>
      {others.length ? (
        others.map((each) => (
          <ins key={each.endpoint}>
            {each.addresses.map((address) => (
              <span key={address}>
                <Copy value={address} />{" "}
              </span>
            ))}
            of <ResourceId value={each.endpoint} />{" "}
          </ins>
        ))
      ) : (
        <span class="quiet">no private answer</span>
      )}
    </li>
  );
}

async function find(ids: readonly string[], signal: AbortSignal): Promise<Found> {
  const gone = new Set(ids.map((each) => each.toLowerCase()));
  const called = [...new Set(ids.map((each) => each.split("/").pop() ?? each))];
  if (!called.length) return { endpoints: new Map(), others: new Map() };
  const { items } = await get("/v1/endpoints", { limit: 1000, name: called }, { signal });
  const endpoints = new Map(
    items.map((each) => [each.id.toLowerCase(), each] as const).filter(([id]) => gone.has(id)),
  );
  const names = [...endpoints.values()].flatMap((each) => each.records.map((record) => record.fqdn));
  const others = new Map<string, Claim[]>();
  if (names.length) {
    const claims = await get("/v1/claims", { limit: 1000, name: names.slice(0, NAMES) }, { signal });
    for (const each of claims.items) {
      if (!each.served || gone.has(each.endpoint.toLowerCase())) continue;
      others.set(each.public, [...(others.get(each.public) ?? []), each]);
    }
  }
  return { endpoints, others };
}
