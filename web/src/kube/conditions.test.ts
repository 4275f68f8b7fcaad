import { describe, expect, it } from "vitest";
import type { Condition } from "../api/types";
import { lastSeen, verdict, whyNotReady } from "./conditions";

const condition = (type: string, status: string, message = "", reason = "Reason"): Condition => ({
  type,
  status,
  reason,
  message,
});

describe("a condition's verdict", () => {
  it.each([
    ["Ready", "True", "good"],
    ["Ready", "False", "bad"],
    ["Offline", "False", "good"],
    ["Offline", "True", "bad"],
    ["CertInvalid", "True", "bad"],
    ["AuthFailed", "True", "bad"],
    ["WrongIdentity", "True", "bad"],
    ["Degraded", "True", "bad"],
    ["MemoryPressure", "True", "bad"],
    ["Propagation", "True", "good"],
    ["Ready", "Unknown", "unknown"],
  ])("of %s=%s is %s", (type, status, expected) => {
    expect(verdict(condition(type, status))).toBe(expected);
  });
});

describe("why a cluster is not ready", () => {
  it("is said by the cause, not by Ready, which only repeats it", () => {
    const conditions = [
      condition("Ready", "False", "not usable"),
      condition("Offline", "True", "cluster is not reachable: certificate expired"),
      condition("CertInvalid", "True", "certificate expired"),
    ];
    expect(whyNotReady({ state: "Offline", conditions })).toBe("certificate expired");
  });

  it("is said by Degraded when the cluster answers with something wrong", () => {
    const conditions = [
      condition("Ready", "True", "/healthz responded with ok"),
      condition("Degraded", "True", "11 of 12 nodes are ready"),
    ];
    expect(whyNotReady({ state: "Degraded", conditions })).toBe("11 of 12 nodes are ready");
  });

  it("is the reason where there is no message, and nothing where no condition is bad", () => {
    expect(whyNotReady({ state: "Degraded", conditions: [condition("Ready", "False", "", "ClusterNotReady")] })).toBe(
      "ClusterNotReady",
    );
    expect(whyNotReady({ state: "Pending", conditions: [] })).toBeUndefined();
    expect(whyNotReady({ state: "Ready", conditions: [condition("Degraded", "True", "old")] })).toBeUndefined();
  });
});

describe("when a cluster was last seen", () => {
  const [since, asOf] = ["2026-11-25T09:41:00Z", "2026-11-25T09:59:50Z"];

  it("is its last answer, and for one that is offline the time when it fell silent", () => {
    expect(lastSeen({ state: "Ready", since, asOf })).toBe(asOf);
    expect(lastSeen({ state: "Offline", since, asOf })).toBe(since);
    expect(lastSeen({ state: "Pending", since, asOf: null })).toBeUndefined();
  });
});
