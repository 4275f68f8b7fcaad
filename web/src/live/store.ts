/** A change to rows, as the stream sends it. */
export interface Frame<T> {
  upserts?: readonly T[];
  deletes?: readonly string[];
  /** The frame is the whole list: what it does not name is gone. */
  initial?: boolean;
}

type Schedule = (publish: () => void) => void;

const nextFrame: Schedule = (publish) => {
  // A hidden page gets no animation frames; its rows still have to be right when it is looked at.
  if (document.visibilityState === "hidden") setTimeout(publish, 100);
  else requestAnimationFrame(publish);
};

/**
 * Rows by key, published at most once per animation frame however many changes arrive.
 * Readers get the same array until something changed, as useSyncExternalStore wants.
 */
export class RowStore<T> {
  readonly #rows = new Map<string, T>();
  readonly #listeners = new Set<() => void>();
  #snapshot: readonly T[] = [];
  #scheduled = false;
  #live = false;

  constructor(
    readonly keyOf: (row: T) => string,
    readonly schedule: Schedule = nextFrame,
  ) {}

  /** Rows from a plain list call. Ignored once the stream has spoken: its rows are newer. */
  seed(rows: readonly T[]) {
    if (this.#live) return;
    this.#replace(rows);
    this.#publish();
  }

  apply(frame: Frame<T>) {
    if (frame.initial) {
      this.#live = true;
      this.#replace(frame.upserts ?? []);
      this.#publishSoon();
      return;
    }
    for (const key of frame.deletes ?? []) this.#rows.delete(key);
    for (const row of frame.upserts ?? []) this.#rows.set(this.keyOf(row), row);
    this.#publishSoon();
  }

  /** The stream has lost its place: rows stay visible, and the next whole list replaces them. */
  resync() {
    this.#live = false;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): readonly T[] => this.#snapshot;

  #replace(rows: readonly T[]) {
    this.#rows.clear();
    for (const row of rows) this.#rows.set(this.keyOf(row), row);
  }

  #publish() {
    this.#snapshot = [...this.#rows.values()];
    for (const listener of this.#listeners) listener();
  }

  #publishSoon() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.schedule(() => {
      this.#scheduled = false;
      this.#publish();
    });
  }
}
