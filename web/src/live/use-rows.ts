import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { onSessionEnd } from "../session";
import { stream } from "./page-stream";
import { type Frame, RowStore } from "./store";
import type { Connection, Topic } from "./stream";

/** A list that stays current: one call for the first rows and for errors, the stream for everything after. */
export interface LiveList<T> {
  topic: Topic;
  keyOf(row: T): string;
  load(signal: AbortSignal): Promise<readonly T[]>;
  isRow(value: unknown): value is T;
}

interface Shared {
  store: RowStore<unknown>;
  users: number;
  stop: (() => void) | undefined;
}

const shared = new Map<string, Shared>();
onSessionEnd(() => shared.clear());

function idOf(topic: Topic): string {
  return JSON.stringify([topic.resource, topic.namespace ?? null, topic.name ?? null]);
}

function entryOf<T>(list: LiveList<T>): Shared {
  const id = idOf(list.topic);
  let entry = shared.get(id);
  if (!entry) {
    const keyOf = (row: unknown) => (list.isRow(row) ? list.keyOf(row) : "");
    entry = { store: new RowStore<unknown>(keyOf), users: 0, stop: undefined };
    shared.set(id, entry);
  }
  return entry;
}

export interface Rows<T> {
  rows: readonly T[];
  /** The first rows have arrived. */
  ready: boolean;
  error: Error | null;
  retry(): void;
}

/** The rows of a live list; components that show the same list share one subscription. */
export function useRows<T>(list: LiveList<T>): Rows<T> {
  const entry = entryOf(list);
  const { store } = entry;
  const id = idOf(list.topic);

  useEffect(() => {
    entry.users += 1;
    entry.stop ??= stream.subscribe(list.topic, {
      frame: (frame: Frame<unknown>) => store.apply(frame),
      resync: () => store.resync(),
    });
    return () => {
      entry.users -= 1;
      if (entry.users > 0) return;
      entry.stop?.();
      entry.stop = undefined;
      store.resync();
    };
  }, [entry, store, list.topic]);

  const query = useQuery({
    queryKey: ["rows", id],
    queryFn: async ({ signal }) => {
      const rows = await list.load(signal);
      store.seed(rows);
      return rows.length;
    },
    staleTime: 30_000,
  });

  const snapshot = useSyncExternalStore(store.subscribe, store.snapshot);
  const rows = useMemo(() => snapshot.filter(list.isRow), [snapshot, list.isRow]);
  return {
    rows,
    ready: query.isSuccess,
    error: query.error,
    retry: () => void query.refetch(),
  };
}

export function useConnection(): Connection {
  return useSyncExternalStore(stream.onConnection, stream.connection);
}
