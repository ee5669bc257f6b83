// The stream of live queries: the newest rows, how many came while the view was paused, how many pldns left out, and
// how many come per second. Does not know how rows are shown.

import { useEffect, useRef, useState } from "preact/hooks";
import { address, ApiError, refusal } from "../../api/client";

export type Origin = "endpoint" | "zone" | "fallback" | "upstream" | "pldns";

/** The data of an event `query` of `/v1/queries`, with a number that no other row has. */
export interface Query {
  readonly id: number;
  readonly at: string;
  readonly proto: string;
  readonly client: string;
  readonly network: string;
  readonly name: string;
  readonly type: string;
  readonly rcode: string;
  readonly origin: Origin;
  /** The first records of the answer as type and data; null where the reply is long. */
  readonly answer: readonly string[] | null;
  readonly octets: number;
  readonly seconds: number;
}
export type Filters = Readonly<Record<string, string | readonly string[]>>;

/** The most rows that are kept. */
export const MOST = 300;
/** The least milliseconds between two drawings, and those over which the rate is measured. */
const DRAWN = 500;
const MEASURED = 5000;

export interface Stream {
  /** The newest first. While the view is paused, the rows of the moment of the pause. */
  readonly rows: readonly Query[];
  /** Queries that arrived since the pause. */
  readonly waiting: number;
  readonly dropped: number;
  /** Matching queries per second, those that pldns left out included. */
  readonly rate: number;
  readonly error: ApiError | undefined;
  readonly retry: () => void;
  readonly clear: () => void;
}

interface Shown {
  readonly rows: readonly Query[];
  readonly waiting: number;
  readonly dropped: number;
  readonly rate: number;
}

const NOTHING: Shown = { rows: [], waiting: 0, dropped: 0, rate: 0 };

/** Follow the queries that match. `paused`: the rows stay as they are, and what arrives is kept for later. */
export function useQueries(filters: Filters, paused: boolean): Stream {
  const [shown, setShown] = useState(NOTHING);
  const [error, setError] = useState<ApiError>();
  const [round, setRound] = useState(0);
  const kept = useRef<Query[]>([]);
  const last = useRef(0);
  const isPaused = useRef(paused);
  isPaused.current = paused;
  const key = JSON.stringify(filters);
  const clear = (): void => {
    kept.current = [];
    setShown((before) => ({ ...NOTHING, rate: before.rate }));
  };
  useEffect(clear, [key]);
  useEffect(() => {
    setError(undefined);
    let [arrived, dropped] = [0, 0];
    const counts: { at: number; count: number }[] = [{ at: performance.now(), count: 0 }];
    const url = address("/v1/queries", {}, filters);
    const source = new EventSource(url);
    source.addEventListener("query", (event: MessageEvent<string>) => {
      last.current += 1;
      arrived += 1;
      kept.current.push({ ...(JSON.parse(event.data) as Omit<Query, "id">), id: last.current });
      if (kept.current.length > 2 * MOST) kept.current = kept.current.slice(-MOST);
    });
    source.addEventListener("dropped", (event: MessageEvent<string>) => {
      dropped += (JSON.parse(event.data) as { count: number }).count;
    });
    source.addEventListener("open", () => {
      setError(undefined);
    });
    source.addEventListener("error", () => {
      // The browser itself connects again after a lost connection; after a refusal it does not.
      if (source.readyState !== EventSource.CLOSED) return;
      void refusal(url).then((why) => {
        setError(why ?? new ApiError(0, "", "The connection has ended."));
      });
    });
    const draw = (): void => {
      const [came, lost] = [arrived, dropped];
      [arrived, dropped] = [0, 0];
      const now = performance.now();
      counts.push({ at: now, count: came + lost });
      while (counts.length > 2 && now - (counts[0]?.at ?? now) > MEASURED) counts.shift();
      const since = now - (counts[0]?.at ?? now);
      const rate = (counts.slice(1).reduce((sum, each) => sum + each.count, 0) / Math.max(since, 1)) * 1000;
      setShown((before) => {
        if (!came && !lost && before.rate === rate && (isPaused.current || !before.waiting)) return before;
        const counted = { dropped: before.dropped + lost, rate };
        if (isPaused.current) return { ...before, ...counted, waiting: before.waiting + came };
        const isSame = !came && !before.waiting;
        return { ...counted, waiting: 0, rows: isSame ? before.rows : kept.current.slice(-MOST).reverse() };
      });
    };
    // The next drawing waits for this one to be shown, so that a slow browser draws less often.
    let timer = 0;
    let frame = 0;
    const again = (): void => {
      timer = setTimeout(() => {
        draw();
        frame = requestAnimationFrame(again);
      }, DRAWN);
    };
    again();
    return () => {
      source.close();
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    };
  }, [key, round]);
  const retry = (): void => {
    setRound(round + 1);
  };
  return { ...shown, error, retry, clear };
}
