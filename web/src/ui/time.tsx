import { useSyncExternalStore } from "react";

// One clock for all relative times on the page, so that they agree with one another.
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void) {
  // Nobody has looked at the clock for a while: it was not running.
  if (listeners.size === 0) now = Date.now();
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 10_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

interface TimeProps {
  value: string;
  relative(time: string, now: number): string;
  absolute(time: string): string;
}

/** How long ago, with the exact time for those who ask. */
export function Time({ value, relative, absolute }: TimeProps) {
  const clock = useSyncExternalStore(subscribe, () => now);
  // What has happened since the clock last moved happened now; it does not lie ahead.
  const past = Math.min(Date.parse(value), Date.now());
  return (
    <time dateTime={value} title={absolute(value)}>
      {relative(value, Math.max(clock, past))}
    </time>
  );
}
