// One WebSocket for everything that is live on the page.
import type { Frame } from "./store";

export interface Topic {
  resource: string;
  namespace?: string;
  name?: string;
}

export interface Handlers {
  frame(frame: Frame<unknown>): void;
  /** Changes may have been missed; a whole list follows. */
  resync(): void;
}

export type Connection = "idle" | "connecting" | "live" | "waiting";

/** An open connection; closing it is silent. */
export interface Socket {
  send(text: string): void;
  close(): void;
}

export interface SocketEvents {
  opened(): void;
  received(text: string): void;
  closed(): void;
}

export interface Environment {
  /** Opens a socket, with a ticket of its own each time. Events come after the promise is kept. */
  open(events: SocketEvents): Promise<Socket>;
  later(run: () => void, milliseconds: number): () => void;
  /** Spreads reconnecting pages: a number from 0 to 1. */
  random(): number;
}

interface Subscription {
  topic: Topic;
  handlers: Handlers;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;

interface Message extends Frame<unknown> {
  sub?: number;
  resync?: boolean;
  error?: { message?: string };
}

export class Stream {
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #listeners = new Set<() => void>();
  #socket: Socket | undefined;
  #connection: Connection = "idle";
  #attempt = 0;
  #generation = 0;
  #nextSub = 1;
  #paused = false;
  #cancelWait: (() => void) | undefined;

  constructor(readonly environment: Environment) {}

  subscribe(topic: Topic, handlers: Handlers): () => void {
    let sub = this.#nextSub++;
    const subscription = { topic, handlers: { ...handlers } };
    subscription.handlers.resync = () => {
      handlers.resync();
      // A new number, so that frames still under way for the old one are not taken for the new list.
      this.#subscriptions.delete(sub);
      this.#tell({ op: "unsubscribe", sub });
      sub = this.#nextSub++;
      this.#subscriptions.set(sub, subscription);
      this.#tell({ op: "subscribe", sub, ...topic });
    };
    this.#subscriptions.set(sub, subscription);
    if (this.#connection === "live") this.#tell({ op: "subscribe", sub, ...topic });
    else if (this.#connection === "idle" && !this.#paused) void this.#connect();
    return () => {
      this.#subscriptions.delete(sub);
      this.#tell({ op: "unsubscribe", sub });
      if (this.#subscriptions.size === 0) this.#drop("idle");
    };
  }

  /** Stops receiving while nobody looks. */
  pause() {
    this.#paused = true;
    this.#drop("idle");
  }

  /** Receives again; every topic starts with a whole list. */
  resume() {
    this.#paused = false;
    this.#attempt = 0;
    const asleep = this.#connection === "idle" || this.#connection === "waiting";
    if (this.#subscriptions.size > 0 && asleep) void this.#connect();
  }

  readonly connection = (): Connection => this.#connection;

  readonly onConnection = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #become(connection: Connection) {
    if (this.#connection === connection) return;
    this.#connection = connection;
    for (const listener of this.#listeners) listener();
  }

  #tell(message: object) {
    if (this.#connection === "live") this.#socket?.send(JSON.stringify(message));
  }

  #drop(connection: Connection) {
    this.#generation += 1;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    this.#become(connection);
    socket?.close();
  }

  async #connect() {
    this.#drop("connecting");
    const generation = this.#generation;
    const current = () => generation === this.#generation;
    const events: SocketEvents = {
      opened: () => {
        if (!current()) return;
        this.#attempt = 0;
        this.#become("live");
        for (const [sub, { topic }] of this.#subscriptions) this.#tell({ op: "subscribe", sub, ...topic });
      },
      received: (text) => {
        if (current()) this.#receive(text);
      },
      closed: () => {
        if (current()) this.#retry();
      },
    };
    try {
      const socket = await this.environment.open(events);
      if (current()) this.#socket = socket;
      else socket.close();
    } catch {
      if (current()) this.#retry();
    }
  }

  #receive(text: string) {
    let message: Message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message.error) console.warn("stream:", message.error.message);
    const subscription = message.sub === undefined ? undefined : this.#subscriptions.get(message.sub);
    if (!subscription) return;
    if (message.resync) subscription.handlers.resync();
    else if (!message.error) subscription.handlers.frame(message);
  }

  #retry() {
    this.#drop("waiting");
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#attempt);
    this.#attempt += 1;
    // Between half and all of the wait, so that pages do not come back all at once.
    const spread = wait * (0.5 + this.environment.random() / 2);
    this.#cancelWait = this.environment.later(() => void this.#connect(), spread);
  }
}
