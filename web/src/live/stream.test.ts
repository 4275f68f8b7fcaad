import { describe, expect, it } from "vitest";
import { type Environment, type SocketEvents, Stream } from "./stream";

/** A network that does what the test says, with time that passes when the test says so. */
function network() {
  const sockets: { events: SocketEvents; sent: unknown[]; closed: boolean }[] = [];
  const waits: { run: () => void; milliseconds: number }[] = [];
  let refuse = false;
  const environment: Environment = {
    random: () => 1,
    later(run, milliseconds) {
      const wait = { run, milliseconds };
      waits.push(wait);
      return () => waits.splice(waits.indexOf(wait), 1);
    },
    async open(events) {
      if (refuse) throw new Error("refused");
      const socket = { events, sent: [] as unknown[], closed: false };
      sockets.push(socket);
      return {
        send: (text) => socket.sent.push(JSON.parse(text)),
        close: () => {
          socket.closed = true;
        },
      };
    },
  };
  const last = () => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  };
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  const pass = async () => {
    for (const wait of waits.splice(0)) wait.run();
    await settle();
  };
  return { environment, sockets, waits, last, settle, pass, refuse: (on: boolean) => (refuse = on) };
}

function listener() {
  const frames: unknown[] = [];
  let resyncs = 0;
  return {
    handlers: { frame: (frame: unknown) => frames.push(frame), resync: () => resyncs++ },
    frames,
    resyncs: () => resyncs,
  };
}

describe("the stream", () => {
  it("opens with the first topic, subscribes once open, and hands each frame to its own topic", async () => {
    const net = network();
    const stream = new Stream(net.environment);
    const clusters = listener();
    const web = listener();
    stream.subscribe({ resource: "clusters" }, clusters.handlers);
    stream.subscribe({ resource: "federated/deployments.apps", namespace: "shop", name: "web" }, web.handlers);
    await net.settle();
    expect(net.sockets).toHaveLength(1);
    net.last().events.opened();
    expect(net.last().sent).toEqual([
      { op: "subscribe", sub: 1, resource: "clusters" },
      { op: "subscribe", sub: 2, resource: "federated/deployments.apps", namespace: "shop", name: "web" },
    ]);
    net.last().events.received('{"sub":2,"upserts":[1]}');
    net.last().events.received("not json");
    net.last().events.received('{"sub":9,"upserts":[1]}');
    expect(clusters.frames).toHaveLength(0);
    expect(web.frames).toEqual([{ sub: 2, upserts: [1] }]);
  });

  it("comes back after a break, waiting longer each time, and subscribes again", async () => {
    const net = network();
    const stream = new Stream(net.environment);
    stream.subscribe({ resource: "clusters" }, listener().handlers);
    await net.settle();
    net.last().events.opened();
    net.refuse(true);
    net.last().events.closed();
    const waited: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      expect(stream.connection()).toBe("waiting");
      waited.push(net.waits[0]?.milliseconds ?? 0);
      await net.pass();
    }
    expect(waited).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    net.refuse(false);
    await net.pass();
    net.last().events.opened();
    expect(stream.connection()).toBe("live");
    expect(net.last().sent).toEqual([{ op: "subscribe", sub: 1, resource: "clusters" }]);
  });

  it("a resync asks for the whole list under a new number, so that late frames of the old one are not shown", async () => {
    const net = network();
    const stream = new Stream(net.environment);
    const clusters = listener();
    stream.subscribe({ resource: "clusters" }, clusters.handlers);
    await net.settle();
    net.last().events.opened();
    net.last().events.received('{"sub":1,"resync":true}');
    expect(clusters.resyncs()).toBe(1);
    expect(net.last().sent.slice(1)).toEqual([
      { op: "unsubscribe", sub: 1 },
      { op: "subscribe", sub: 2, resource: "clusters" },
    ]);
    net.last().events.received('{"sub":1,"upserts":["late"]}');
    net.last().events.received('{"sub":2,"upserts":["new"],"initial":true}');
    expect(clusters.frames).toEqual([{ sub: 2, upserts: ["new"], initial: true }]);
  });

  it("closes with the last topic, and an old socket's end starts nothing", async () => {
    const net = network();
    const stream = new Stream(net.environment);
    const stop = stream.subscribe({ resource: "clusters" }, listener().handlers);
    await net.settle();
    net.last().events.opened();
    stop();
    expect(net.last().closed).toBe(true);
    net.last().events.closed();
    expect(stream.connection()).toBe("idle");
    expect(net.waits).toHaveLength(0);
  });

  it("receives nothing while paused, and starts over when resumed", async () => {
    const net = network();
    const stream = new Stream(net.environment);
    stream.subscribe({ resource: "clusters" }, listener().handlers);
    await net.settle();
    net.last().events.opened();
    stream.pause();
    expect(net.last().closed).toBe(true);
    stream.resume();
    await net.settle();
    expect(net.sockets).toHaveLength(2);
  });
});
