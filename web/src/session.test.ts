import { beforeEach, describe, expect, it, vi } from "vitest";

/** What a browser keeps for one origin, and the events that its other tabs cause. */
function browser(stored: Record<string, string>) {
  const items = new Map(Object.entries(stored));
  const listeners: ((event: { key: string | null; newValue: string | null }) => void)[] = [];
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  });
  vi.stubGlobal("addEventListener", (type: string, listener: (typeof listeners)[number]) => {
    if (type === "storage") listeners.push(listener);
  });
  return {
    items,
    otherTab(key: string, newValue: string | null) {
      for (const each of listeners) each({ key, newValue });
    },
  };
}

beforeEach(() => {
  vi.resetModules();
  vi.unstubAllGlobals();
});

describe("a session", () => {
  it("survives a reload, and ends once", async () => {
    const { items } = browser({ "atoll.key": "k" });
    const session = await import("./session");
    const ended = vi.fn();
    session.onSessionEnd(ended);
    expect(session.sessionKey()).toBe("k");
    session.endSession("expired");
    session.endSession("left");
    expect(session.sessionKey()).toBeNull();
    expect(session.sessionEnd()).toBe("expired");
    expect(items.has("atoll.key")).toBe(false);
    expect(ended).toHaveBeenCalledOnce();
  });

  it("begun anew forgets how the last one ended", async () => {
    const { items } = browser({ "atoll.key": "k" });
    const session = await import("./session");
    session.endSession("expired");
    session.beginSession("k2");
    expect(session.sessionEnd()).toBeUndefined();
    expect(items.get("atoll.key")).toBe("k2");
  });

  it("left in one tab is left in the others", async () => {
    const { otherTab } = browser({ "atoll.key": "k" });
    const session = await import("./session");
    otherTab("atoll.theme", null);
    expect(session.sessionKey()).toBe("k");
    otherTab("atoll.key", null);
    expect(session.sessionKey()).toBeNull();
    expect(session.sessionEnd()).toBe("left");
  });
});
