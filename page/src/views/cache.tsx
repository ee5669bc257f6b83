// The caches of the workers: their sizes, what they have for a name, and removing the upstream replies for a name.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, get, post, type Reply } from "../api/client";
import { Dialog } from "../components/dialog";
import { Choice, Search } from "../components/filters";
import { Empty, ErrorBox, Loaded } from "../components/states";
import { Table } from "../components/table";
import { Copy, Text } from "../components/text";
import { toast } from "../components/toast";
import { counted, duration, number } from "../format";
import { href, Link } from "../router";
import { useMay } from "../state/identity";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";

type Cache = Reply<"/v1/cache">["items"][number];
type Explanation = Reply<"/v1/explain">;
type Question = NonNullable<Explanation["steps"][number]["upstream"]>;
/** What the cache of one worker has for a name. */
interface Kept {
  readonly worker: number;
  readonly found?: Explanation;
  readonly problem?: string;
}

const EVERY = 5;
const TYPES = ["AAAA", "CNAME", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "TXT"];
const MIB = 1024 * 1024;

export default function CacheView(props: ViewProps): JSX.Element {
  const { query } = props;
  const [name, type] = [query.get("name") ?? "", query.get("type") ?? ""];
  const caches = useResource((signal) => get("/v1/cache", { limit: 1000 }, { signal }), [], EVERY);
  return (
    <>
      <Loaded resource={caches}>
        {({ items }) => (
          <>
            <Table<Cache>
              label="Caches of the workers"
              rows={items}
              id={(each) => String(each.worker)}
              empty="No worker answers."
              columns={[
                { head: "Worker", kind: "main", cell: (each) => each.worker },
                { head: "Upstream replies", kind: "number", cell: (each) => number(each.replies) },
                { head: "Their memory", kind: "number", cell: (each) => mebibytes(each.octets) },
                { head: "Compiled answers", kind: "number", cell: (each) => number(each.answers) },
                { head: "Memory of these", kind: "number", cell: (each) => mebibytes(each.answer_octets) },
              ]}
            />
            <h2>A name in the caches</h2>
            <div class="filters">
              <Search label="Name" name="name" hint="www.example.com" />
              <Choice label="Type" name="type" all="A" options={TYPES.map((each) => [each, each])} />
            </div>
            {name ? (
              <Name name={name} type={type} workers={items.map((each) => each.worker)} />
            ) : (
              <Empty>Type a name to see what each worker keeps for it.</Empty>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function mebibytes(octets: number): string {
  return `${number(octets / MIB)} MiB`;
}

function Name(props: { name: string; type: string; workers: readonly number[] }): JSX.Element {
  const { name, type, workers } = props;
  const [flushing, setFlushing] = useState(false);
  const may = useMay("operate");
  const kept = useResource((signal) => read(name, type, workers, signal), [name, type, workers]);
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
              { head: "Upstream replies", cell: (each) => <Replies kept={each} /> },
              { head: "Compiled answer", cell: (each) => <Compiled kept={each} /> },
              { head: "Records", cell: (each) => <Records kept={each} /> },
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
            Flush
          </button>
        )}
        <Link to={href("explain", { name, type })}>Explain the name</Link>
      </div>
      {flushing && (
        <Flush
          name={name}
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

function Replies(props: { kept: Kept }): JSX.Element {
  const { found, problem } = props.kept;
  if (!found) return <Text value={problem ?? ""} />;
  const asked = found.steps.map((each) => each.upstream).filter((each): each is Question => each !== null);
  if (!asked.length) return <span class="quiet">no upstream server is needed</span>;
  return (
    <>
      {asked.map((each) => (
        <div key={`${each.name} ${each.type}`}>
          <Copy value={each.name} /> {each.type}: <Text value={each.cache} />
          {each.left !== null && <span class="quiet"> · expires in {duration(each.left)}</span>}
        </div>
      ))}
    </>
  );
}

function Compiled(props: { kept: Kept }): JSX.Element {
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

function Records(props: { kept: Kept }): JSX.Element {
  const answer = props.kept.found?.answer?.answer ?? [];
  if (!answer.length) return <span class="quiet">none</span>;
  return (
    <>
      {answer.map((each) => (
        <div key={each}>
          <Copy value={each} />
        </div>
      ))}
    </>
  );
}

function Flush(props: { name: string; close: () => void; done: () => void }): JSX.Element {
  const { name, close, done } = props;
  const [subtree, setSubtree] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const flush = (): void => {
    setBusy(true);
    post("/v1/cache", { action: "flush", name, subtree, type: null }).then(
      ({ flushed, silent }) => {
        const unsure = silent.length
          ? ` ${counted(silent.length, "worker")} did not answer and may still have some.`
          : "";
        toast(`Removed ${counted(flushed, "upstream reply", "upstream replies")}.${unsure}`);
        close();
        done();
      },
      (failure: unknown) => {
        setBusy(false);
        setError(failure instanceof ApiError ? failure : new ApiError(0, "", String(failure)));
      },
    );
  };
  return (
    <Dialog title="Flush a name" close={close}>
      <p>
        Every worker removes its upstream replies for <Text value={name} />, and asks again when a client
        asks.
      </p>
      {error && <ErrorBox error={error} />}
      <label class="check">
        <input
          type="checkbox"
          checked={subtree}
          onChange={(event) => {
            setSubtree(event.currentTarget.checked);
          }}
        />
        Also all names below it
      </label>
      <div class="actions">
        <button type="button" class="primary" disabled={busy} onClick={flush}>
          Flush
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
