// The stream of this page: a ticket per connection, a pause while the tab is hidden, an end with the session.
import { answer, client } from "../api/client";
import type { paths } from "../api/schema";
import { onSessionEnd } from "../session";
import { type Socket, type SocketEvents, Stream } from "./stream";

async function open(events: SocketEvents): Promise<Socket> {
  const { ticket } = await answer(client.POST("/api/v1/stream-tickets"));
  const url = new URL("/api/v1/stream" satisfies keyof paths, location.origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, ["atoll.v1", `ticket.${ticket}`]);
  socket.onopen = () => events.opened();
  socket.onmessage = ({ data }) => events.received(String(data));
  socket.onclose = () => events.closed();
  return socket;
}

export const stream = new Stream({
  open,
  random: Math.random,
  later(run, milliseconds) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
});

const HIDDEN_PAUSE = 60_000;
let hiding: ReturnType<typeof setTimeout> | undefined;

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.visibilityState === "hidden") hiding = setTimeout(() => stream.pause(), HIDDEN_PAUSE);
  else stream.resume();
});
addEventListener("online", () => stream.resume());
onSessionEnd(() => stream.pause());
