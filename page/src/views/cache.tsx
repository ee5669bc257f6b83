// The caches of the workers: how full and how useful they are, what they have for a name, and removing replies.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, type Reply } from "../api/client";
import { Choice, Search } from "../components/filters";
import { Empty, Loaded } from "../components/states";
import { Table } from "../components/table";
import { number, octets, share } from "../format";
import { useMay } from "../state/identity";
import { overview } from "../state/live";
import { useResource } from "../state/resource";
import { useStore } from "../state/store";
import type { ViewProps } from "../views";
import { EVERYTHING, FlushDialog } from "./cache/flush";
import { CachedName } from "./cache/name";

type Cache = Reply<"/v1/cache">["items"][number];

const EVERY = 5;
const TYPES = ["AAAA", "CNAME", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "TXT"];

export default function CacheView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [name, type] = [query.get("name") ?? "", query.get("type") ?? ""];
  const [flushing, setFlushing] = useState(false);
  const may = useMay("operate");
  const caches = useResource((signal) => get("/v1/cache", { limit: 1000 }, { signal }), [], EVERY);
  return (
    <>
      <p class="note">
        Each worker keeps the replies of upstream servers, and ready answers: packets that it can send again
        to the next client that asks the same.
      </p>
      <h2>A name in the caches</h2>
      <div class="filters">
        <Search label="Name" name="name" hint="www.example.com" />
        <Choice label="Type" name="type" all="A" options={TYPES.map((each) => [each, each])} />
      </div>
      <Loaded resource={caches}>
        {({ items }) => (
          <>
            {name ? (
              <CachedName name={name} type={type} workers={items.map((each) => each.worker)} />
            ) : (
              <Empty>Type a name to see what each worker keeps for it, and for how long.</Empty>
            )}
            <h2>All caches</h2>
            <HitRatio />
            <Table<Cache>
              label="Caches of the workers"
              rows={items}
              id={(each) => String(each.worker)}
              empty="No worker answers."
              columns={[
                { head: "Worker", kind: "main", cell: (each) => each.worker },
                { head: "Upstream replies", kind: "number", cell: (each) => number(each.replies) },
                { head: "Memory for replies", kind: "number", cell: (each) => octets(each.octets) },
                { head: "Ready answers", kind: "number", cell: (each) => number(each.answers) },
                { head: "Memory for answers", kind: "number", cell: (each) => octets(each.answer_octets) },
              ]}
            />
          </>
        )}
      </Loaded>
      {may && (
        <div class="actions">
          <button
            type="button"
            onClick={() => {
              setFlushing(true);
            }}
          >
            Remove all upstream replies
          </button>
        </div>
      )}
      {flushing && (
        <FlushDialog
          name={EVERYTHING}
          type=""
          close={() => {
            setFlushing(false);
          }}
          done={caches.reload}
        />
      )}
    </>
  );
}

function HitRatio(): JSX.Element | null {
  const ratio = useStore(overview)?.traffic.cache_hit_ratio;
  if (ratio === undefined) return null;
  return (
    <p>
      {ratio === null ? (
        <span class="quiet">No question for an upstream server in the last minute.</span>
      ) : (
        <>
          <strong>{share(ratio)}</strong> of the questions for upstream servers were answered from the cache
          in the last minute.
        </>
      )}
    </p>
  );
}
