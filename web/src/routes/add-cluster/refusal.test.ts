import { describe, expect, it } from "vitest";
import type { StageLine, Status } from "../../api/types";
import { wantsAccount, withFailure, withoutHint } from "./refusal";

const refusal = (field: string, message = "refused"): Status => ({
  kind: "Status",
  message,
  details: { stage: "kubeconfig", causes: [{ field, message }] },
});

describe("a failure", () => {
  const lines: StageLine[] = [{ stage: "dns", state: "ok" }];
  const status: Status = { kind: "Status", message: "refused", details: { stage: "tcp", hint: "Check the port." } };

  it("is shown on its stage, once", () => {
    const shown = withFailure(lines, status);
    expect(shown).toEqual([...lines, { stage: "tcp", state: "failed", message: "refused", hint: "Check the port." }]);
    expect(withFailure(shown, status)).toBe(shown);
  });

  it("loses its hint, and nothing else, where the way out is shown", () => {
    const [dns, tcp] = withoutHint(withFailure(lines, status));
    expect(dns).toEqual({ stage: "dns", state: "ok" });
    expect(tcp).toMatchObject({ stage: "tcp", message: "refused", hint: null });
  });

  it("without a stage adds nothing to the stages", () => {
    expect(withFailure(lines, { kind: "Status", message: "no" })).toBe(lines);
    expect(withFailure(lines, undefined)).toBe(lines);
  });
});

describe("an account made for the hub is offered", () => {
  it.each([
    "kubeconfig.users[0].user.exec",
    "kubeconfig.users[prod].user.auth-provider",
    "kubeconfig.users[prod].user.password",
  ])("where %s is refused", (field) => {
    expect(wantsAccount(refusal(field))).toBe(true);
  });

  it("where only the message tells of a program", () => {
    expect(wantsAccount(refusal("kubeconfig", "users[0].user.exec runs the program aws"))).toBe(true);
  });

  it.each([
    "kubeconfig",
    "kubeconfig.users[prod].user.client-key",
    "kubeconfig.clusters[prod].cluster.server",
    "kubeconfig.clusters[exec].cluster.proxy-url",
  ])("but not where %s is refused", (field) => {
    expect(wantsAccount(refusal(field))).toBe(false);
  });

  it("and not for failures of later stages", () => {
    expect(wantsAccount({ kind: "Status", message: "exec format error", details: { stage: "tls" } })).toBe(false);
  });
});
