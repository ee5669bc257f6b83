// Data of the admin interface in a component: read when the component appears and when its question changes. The last
// data stays while new data is read, and where reading fails.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { link } from "./live";
import { useStore } from "./store";

export interface Resource<T> {
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
  readonly loading: boolean;
  /** Whether `data` is that of the question before this one. */
  readonly isEarlier: boolean;
  /** Read again. */
  readonly reload: () => void;
}

/** Milliseconds for which the data of an earlier question stays. */
const STAYS = 200;

/**
 * Return the data that `load` reads. It is read again when a value in `question` changes, when pldns is back after it was
 * lost, and every `every` seconds.
 */
export function useResource<T>(
  load: (signal: AbortSignal) => Promise<T>,
  question: readonly unknown[],
  every?: number,
): Resource<T> {
  const key = JSON.stringify(question);
  const [state, setState] = useState<{ key: string; data?: T; error?: ApiError; loading: boolean }>({
    key,
    loading: true,
  });
  const [round, setRound] = useState(0);
  const loading = useRef(load);
  loading.current = load;

  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...(before.key === key ? before : { key }), loading: true }));
    loading.current(abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setState({ key, data, loading: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const failure = error instanceof ApiError ? error : new ApiError(0, "", String(error));
        setState((before) => ({
          ...(before.key === key ? before : { key }),
          error: failure,
          loading: false,
        }));
      },
    );
    return () => {
      abort.abort();
    };
  }, [key, round]);

  const reload = useCallback(() => {
    setRound((before) => before + 1);
  }, []);
  const isLost = useStore(link).state === "lost";
  const wasLost = useRef(isLost);
  useEffect(() => {
    if (wasLost.current && !isLost) reload();
    wasLost.current = isLost;
  }, [isLost, reload]);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, every * 1000);
    return () => {
      clearInterval(timer);
    };
  }, [every, reload]);

  // What is shown while the answer to a new question is awaited.
  const [before, setBefore] = useState<T | undefined>(undefined);
  useEffect(() => {
    if (state.data !== undefined) setBefore(state.data);
  }, [state.data]);
  const current = state.key === key ? state : undefined;
  const waits = !current || (current.data === undefined && !current.error);
  useEffect(() => {
    if (!waits) return undefined;
    const timer = setTimeout(() => {
      setBefore(undefined);
    }, STAYS);
    return () => {
      clearTimeout(timer);
    };
  }, [waits, key]);

  return {
    data: waits ? before : current.data,
    error: current?.error,
    loading: current?.loading ?? true,
    isEarlier: waits && before !== undefined,
    reload,
  };
}
