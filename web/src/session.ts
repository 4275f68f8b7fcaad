// Who is signed in on this page. The key is useless without the HttpOnly cookie; the cookie is useless without the key.
const STORAGE = "atoll.key";

/** Why a session ended: its person left, or the hub no longer takes it. */
export type End = "left" | "expired";

const listeners = new Set<() => void>();
let key = localStorage.getItem(STORAGE);
let lastEnd: End | undefined;

export function sessionKey(): string | null {
  return key;
}

/** How the last session on this page ended, if one did. */
export function sessionEnd(): End | undefined {
  return lastEnd;
}

export function beginSession(issued: string) {
  key = issued;
  lastEnd = undefined;
  localStorage.setItem(STORAGE, issued);
}

/** Forgets the key and tells everybody who shows or streams data. */
export function endSession(end: End) {
  if (key === null) return;
  key = null;
  lastEnd = end;
  localStorage.removeItem(STORAGE);
  for (const listener of listeners) listener();
}

export function onSessionEnd(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// Signing out in one tab signs out the others.
addEventListener("storage", (event) => {
  if (event.key === STORAGE && event.newValue === null) endSession("left");
});
