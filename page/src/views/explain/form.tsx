// The question: a name, a type and a client.

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { get } from "../../api/client";
import { href, navigate } from "../../router";
import { useResource } from "../../state/resource";
import { useOffered } from "./offered";

const TYPES = ["A", "AAAA", "CNAME", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "TXT"];
const NETWORKS = 200;

export function Form(props: { query: URLSearchParams }): JSX.Element {
  const { query } = props;
  const [name, setName] = useState(query.get("name") ?? "");
  const [type, setType] = useState(query.get("type") ?? "");
  const [client, setClient] = useState(query.get("client") ?? "");
  const [ask, setAsk] = useState(query.get("ask") === "1");
  const [nameId, typeId, clientId, namesId, networksId] = [useId(), useId(), useId(), useId(), useId()];
  const offered = useOffered();
  const networks = useResource((signal) => get("/v1/networks", { limit: NETWORKS }, { signal }), []);
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        navigate(href("explain", { name: name.trim(), type, client: client.trim(), ask: ask ? "1" : "" }));
      }}
    >
      <div class="search">
        <label for={nameId}>Name</label>
        <input
          id={nameId}
          required
          value={name}
          list={namesId}
          spellcheck={false}
          autocomplete="off"
          placeholder="shop.blob.core.windows.net"
          onInput={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        <datalist id={namesId}>
          {offered.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      </div>
      <div>
        <label for={typeId}>Type</label>
        <select
          id={typeId}
          value={type}
          onChange={(event) => {
            setType(event.currentTarget.value);
          }}
        >
          <option value="">A, or PTR</option>
          {TYPES.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </div>
      <div class="search">
        <label for={clientId}>Client: an address or a network</label>
        <input
          id={clientId}
          value={client}
          list={networksId}
          spellcheck={false}
          autocomplete="off"
          placeholder="127.0.0.1"
          onInput={(event) => {
            setClient(event.currentTarget.value);
          }}
        />
        <datalist id={networksId}>
          {networks.data?.items
            .filter((each) => each.clients.length)
            .map((each) => (
              <option key={each.name} value={each.name} />
            ))}
        </datalist>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={ask}
          onChange={(event) => {
            setAsk(event.currentTarget.checked);
          }}
        />
        Ask upstream servers
      </label>
      <button class="primary">Explain</button>
    </form>
  );
}
