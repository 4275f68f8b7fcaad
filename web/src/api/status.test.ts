import { describe, expect, it } from "vitest";
import { KNOWN_WORDS, propagationDetail, propagationMessage, propagationTone } from "../kube/propagation";
import { ApiError, isStatus, KNOWN_REASONS, reasonMessage, STAGE_ORDER, stageMessage, statusOf } from "./status";

/** Every reason of metav1.Status that the hub or a member may answer with. */
const KUBERNETES_REASONS = [
  "Unauthorized",
  "Forbidden",
  "NotFound",
  "AlreadyExists",
  "Conflict",
  "Gone",
  "Invalid",
  "ServerTimeout",
  "Timeout",
  "TooManyRequests",
  "BadRequest",
  "MethodNotAllowed",
  "NotAcceptable",
  "RequestEntityTooLarge",
  "UnsupportedMediaType",
  "InternalError",
  "Expired",
  "ServiceUnavailable",
];

describe("a Status in words", () => {
  it("every reason has a sentence of its own", () => {
    expect(KNOWN_REASONS).toEqual(expect.arrayContaining(KUBERNETES_REASONS));
    for (const reason of KNOWN_REASONS)
      expect(reasonMessage({ kind: "Status", reason }), reason).not.toBe("status.unknown");
  });

  it("a reason of a newer server falls back to the general sentence", () => {
    expect(reasonMessage({ kind: "Status", reason: "SomethingNew" })).toBe("status.unknown");
    expect(reasonMessage({ kind: "Status" })).toBe("status.unknown");
  });

  it("every stage of a connection check has a name", () => {
    for (const stage of STAGE_ORDER) expect(stageMessage(stage), stage).toBeDefined();
    expect(stageMessage("quantum")).toBeUndefined();
  });

  it("any thrown value becomes a Status that keeps its text", () => {
    const status = { kind: "Status", reason: "Conflict", message: "changed" } as const;
    expect(statusOf(new ApiError(status))).toBe(status);
    expect(statusOf(new Error("boom")).message).toBe("boom");
    expect(isStatus({ kind: "Pod" })).toBe(false);
    expect(isStatus("<html>")).toBe(false);
  });
});

describe("propagation words", () => {
  it("each has a sentence, and only OK is good", () => {
    for (const word of KNOWN_WORDS) {
      expect(propagationMessage(word), word).toBeDefined();
      expect(propagationTone(word) === "ok", word).toBe(word === "OK");
    }
  });

  it("the hub's message stands beside ours, unless it only repeats it", () => {
    expect(propagationDetail("UpdateFailed", "exceeded quota")).toBe("exceeded quota");
    expect(propagationDetail("UpdateFailed", null)).toBeUndefined();
    expect(propagationDetail("ClusterNotReady", "the cluster does not answer")).toBeUndefined();
  });

  it("an empty word means OK, an unknown one is a warning shown as it is", () => {
    expect(propagationTone("")).toBe("ok");
    expect(propagationTone("SomethingNew")).toBe("warn");
    expect(propagationMessage("SomethingNew")).toBeUndefined();
  });
});
