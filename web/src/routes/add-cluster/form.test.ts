import { describe, expect, it } from "vitest";
import type { Status } from "../../api/types";
import { confirmSchema, EMPTY, type Found, fieldProblem, guess, newCluster, prefill, writtenFor } from "./form";

const found = (context: string, more: Partial<Found> = {}): Found => ({
  ok: true,
  contexts: [],
  context,
  server: "https://example.test:6443",
  willCreate: [],
  ...more,
});

describe("what a check suggests", () => {
  it("fills what is empty", () => {
    const form = prefill(EMPTY, undefined, guess(found("kubernetes-admin@eu-1", { provider: "EKS" })));
    expect(form).toMatchObject({ name: "eu-1", provider: "EKS", region: "" });
  });

  it("follows another kubeconfig, except where a person has written something", () => {
    const first = guess(found("eu-1", { provider: "EKS", region: "eu-west-1" }));
    const second = guess(found("us-1", { provider: "GKE", region: "us-east1" }));
    const untouched = prefill(prefill(EMPTY, undefined, first), first, second);
    expect(untouched).toMatchObject({ name: "us-1", provider: "GKE", region: "us-east1" });
    const written = { ...prefill(EMPTY, undefined, first), name: "production" };
    expect(prefill(written, first, second)).toMatchObject({ name: "production", provider: "GKE" });
  });
});

describe("the request", () => {
  it("leaves out what is empty and trims what is not", () => {
    const form = { ...EMPTY, name: "eu-1", alias: "  Production ", labels: { region: "eu" } };
    expect(newCluster(form, "kind: Config", undefined)).toEqual({
      name: "eu-1",
      role: "member",
      alias: "Production",
      labels: { region: "eu" },
      admitAdmins: true,
      kubeconfig: "kind: Config",
    });
    expect(newCluster(form, "kind: Config", "prod").context).toBe("prod");
  });
});

describe("the form", () => {
  it.each(["", "Not A Label", "-eu", "eu.1", "a".repeat(64)])("refuses the name %j", (name) => {
    expect(confirmSchema.safeParse({ ...EMPTY, name }).success).toBe(false);
  });

  it("accepts a DNS label", () => {
    expect(confirmSchema.safeParse({ ...EMPTY, name: "eu-1" }).success).toBe(true);
  });

  it("without the binding nothing else is left out", () => {
    const objects = [
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", name: "atoll:admins" },
      { apiVersion: "v1", kind: "Namespace", name: "atoll-system" },
    ];
    expect(writtenFor(objects, true)).toEqual(objects);
    expect(writtenFor(objects, false).map(({ name }) => name)).toEqual(["atoll-system"]);
  });
});

describe("the field that a refusal is about", () => {
  const status = (more: Partial<Status>): Status => ({ kind: "Status", message: "no", ...more });

  it("is the one that a cause names, labels by their key included", () => {
    const causes = [{ field: "kubeconfig" }, { field: "labels[bad key]", message: "no label key" }];
    expect(fieldProblem(status({ details: { causes } }))).toEqual({ field: "labels", message: "no label key" });
  });

  it("is the name when the name is taken, but not when the cluster itself is registered", () => {
    expect(fieldProblem(status({ reason: "AlreadyExists" }))).toEqual({ field: "name", message: "no" });
    expect(fieldProblem(status({ reason: "AlreadyExists", details: { stage: "identity" } }))).toBeUndefined();
    expect(fieldProblem(status({ reason: "Timeout" }))).toBeUndefined();
  });
});
