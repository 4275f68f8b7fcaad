import { useSyncExternalStore } from "react";

// One clock for all relative times on the page.
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void) {
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
  // The clock says when to draw again. What is drawn is as of now: a time that has just come would else lie ahead.
  useSyncExternalStore(subscribe, () => now);
  return (
    <time dateTime={value} title={absolute(value)}>
      {relative(value, Date.now())}
    </time>
  );
}
