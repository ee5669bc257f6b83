// What each worker has for one name and type: the records with the TTL that is left, and where they come from.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, get, type Reply } from "../../api/client";
import { Badge } from "../../components/badge";
import { Loaded } from "../../components/states";
import { Table } from "../../components/table";
import { Copy, Text } from "../../components/text";
import { duration } from "../../format";
import { href, Link } from "../../router";
import { useMay } from "../../state/identity";
import { useResource } from "../../state/resource";
import { FlushDialog } from "./flush";

type Explanation = Reply<"/v1/explain">;
type Question = NonNullable<Explanation["steps"][number]["upstream"]>;
/** What the cache of one worker has for a name. */
interface Kept {
  readonly worker: number;
  readonly found?: Explanation;
  readonly problem?: string;
}

const EVERY = 5;

export function CachedName(props: { name: string; type: string; workers: readonly number[] }): JSX.Element {
  const { name, type, workers } = props;
  const [flushing, setFlushing] = useState(false);
  const may = useMay("operate");
  const kept = useResource((signal) => read(name, type, workers, signal), [name, type, workers], EVERY);
  return (
    <>
      <Loaded resource={kept}>
        {(rows) => (
          <Table<Kept>
            label="What the workers keep for the name"
            rows={rows}
            id={(each) => String(each.worker)}
            empty="No worker answers."
            columns={[
              { head: "Worker", kind: "main", cell: (each) => each.worker },
              { head: "Answer now", cell: (each) => <Records kept={each} /> },
              { head: "Upstream replies", cell: (each) => <Replies kept={each} /> },
              { head: "Ready answer", cell: (each) => <Ready kept={each} /> },
            ]}
          />
        )}
      </Loaded>
      <div class="actions">
        {may && (
          <button
            type="button"
            onClick={() => {
              setFlushing(true);
            }}
          >
            Remove from the caches
          </button>
        )}
        <Link to={href("explain", { name, type })}>Explain the answer</Link>
      </div>
      {flushing && (
        <FlushDialog
          name={name}
          type={type || "A"}
          close={() => {
            setFlushing(false);
          }}
          done={kept.reload}
        />
      )}
    </>
  );
}

async function read(
  name: string,
  type: string,
  workers: readonly number[],
  signal: AbortSignal,
): Promise<Kept[]> {
  return Promise.all(
    workers.map(async (worker) => {
      try {
        const asked = { name, worker, ...(type && { type }) };
        return { worker, found: await get("/v1/explain", asked, { signal }) };
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return { worker, problem: error.message };
      }
    }),
  );
}

/** A record in presentation form: owner, TTL, class, type, data. */
function Records(props: { kept: Kept }): JSX.Element {
  const { found, problem } = props.kept;
  if (!found) return <Text value={problem ?? ""} />;
  if (!found.answer) return <span class="quiet">not in the cache: a query goes to an upstream server</span>;
  const { answer, rcode } = found.answer;
  return (
    <>
      {rcode !== "NOERROR" && <Badge tone={rcode === "NXDOMAIN" ? "neutral" : "error"}>{rcode}</Badge>}
      {rcode === "NOERROR" && !answer.length && <span class="quiet">no record of this type</span>}
      {answer.map((each) => {
        const [, ttl = "0", , type = "", ...data] = each.split(" ");
        return (
          <div key={each}>
            <span class="quiet">{type}</span> <Copy value={data.join(" ")} />{" "}
            <span class="quiet">TTL {duration(Number(ttl))}</span>
          </div>
        );
      })}
    </>
  );
}

function Replies(props: { kept: Kept }): JSX.Element {
  const asked = (props.kept.found?.steps ?? [])
    .map((each) => each.upstream)
    .filter((each): each is Question => each !== null);
  if (!asked.length) return <span class="quiet">none needed: pldns has the answer itself</span>;
  return (
    <>
      {asked.map((each) => (
        <div key={`${each.name} ${each.type}`}>
          <Copy value={each.name} /> {each.type}
          <div class="note">
            <Text value={each.cache} />; from the group <Text value={each.group} />
          </div>
        </div>
      ))}
    </>
  );
}

function Ready(props: { kept: Kept }): JSX.Element {
  const kept = props.kept.found?.kept;
  if (!kept) return <span class="quiet">none</span>;
  return (
    <>
      made {duration(kept.age)} ago
      <div class="note">
        {kept.left === null ? "holds until a change" : `expires in ${duration(kept.left)}`}
      </div>
    </>
  );
}
