import { describe, expect, it } from "vitest";
import type { FederatedType } from "../api/types";
import { pluralOf, starterYaml } from "./kinds";

function type(kind: string): FederatedType {
  return {
    resource: "x",
    kind: `Federated${kind}`,
    group: "types.kubefed.io",
    version: "v1beta1",
    namespaced: true,
    shortNames: [],
    target: { group: "", version: "v1", kind, namespaced: true },
    hasReplicas: false,
    propagated: true,
  };
}

describe("kinds", () => {
  it("several are named as Kubernetes names them", () => {
    const kinds = ["Deployment", "Ingress", "NetworkPolicy", "StorageClass", "Gateway", "Endpoints"];
    expect(kinds.map(pluralOf)).toEqual([
      "Deployments",
      "Ingresses",
      "NetworkPolicies",
      "StorageClasses",
      "Gateways",
      "Endpoints",
    ]);
  });

  it("a new object names its type, and chooses no cluster for anybody", () => {
    const text = starterYaml(type("ConfigMap"), ["eu-1", "us-1"]);
    expect(text).toContain("kind: FederatedConfigMap");
    expect(text).toContain("    clusters: [] # such as {name: eu-1}, {name: us-1}\n");
    expect(text).toContain("    data:\n");
  });

  it("a kind nobody knows begins empty, and a namespace lives in itself", () => {
    expect(starterYaml(type("Widget"), [])).toContain("  template:\n    spec: {}\n  placement:\n    clusters: []");
    expect(starterYaml(type("Namespace"), [])).toContain("  name: example\n  namespace: example\n");
    expect(starterYaml({ ...type("ClusterRole"), namespaced: false }, [])).not.toContain("namespace");
  });
});
