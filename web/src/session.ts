// Who is signed in on this page. The key is useless without the HttpOnly cookie; the cookie is useless without the key.
const STORAGE = "atoll.key";
const listeners = new Set<() => void>();
let key = localStorage.getItem(STORAGE);

export function sessionKey(): string | null {
  return key;
}

export function beginSession(issued: string) {
  key = issued;
  localStorage.setItem(STORAGE, issued);
}

/** Forgets the key and tells everybody who shows or streams data. */
export function endSession() {
  if (key === null) return;
  key = null;
  localStorage.removeItem(STORAGE);
  for (const listener of listeners) listener();
}

export function onSessionEnd(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// Signing out in one tab signs out the others.
addEventListener("storage", (event) => {
  if (event.key === STORAGE && event.newValue === null) endSession();
});
