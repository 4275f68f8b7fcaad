import { beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/types";
import { i18n } from "../../i18n/i18n";
import { compareClusters, hostFirst, matchesCluster } from "./order";

const cluster = (name: string, more: Partial<Cluster> = {}): Cluster => ({
  name,
  role: "member",
  createdAt: "2026-01-01T00:00:00Z",
  state: "Ready",
  conditions: [],
  labels: {},
  ...more,
});

const names = (clusters: readonly Cluster[]) => clusters.map(({ name }) => name);

beforeAll(() => i18n.loadAndActivate({ locale: "en", messages: {} }));

describe("the order of clusters", () => {
  it("by name counts numbers as numbers", () => {
    const clusters = [cluster("eu-10"), cluster("eu-2"), cluster("ap-1")];
    expect(names(clusters.sort(compareClusters("name", true)))).toEqual(["ap-1", "eu-2", "eu-10"]);
  });

  it("by state puts the worst first, and equal ones by name in both directions", () => {
    const clusters = [
      cluster("b"),
      cluster("a"),
      cluster("d", { state: "Offline" }),
      cluster("c", { state: "Degraded" }),
    ];
    expect(names([...clusters].sort(compareClusters("state", true)))).toEqual(["d", "c", "a", "b"]);
    expect(names([...clusters].sort(compareClusters("state", false)))).toEqual(["a", "b", "c", "d"]);
  });

  it("by version knows that 1.9 is older than 1.36, and unknown values come first", () => {
    const clusters = [
      cluster("new", { kubernetesVersion: "v1.36.1" }),
      cluster("old", { kubernetesVersion: "v1.9.0" }),
      cluster("unknown", { kubernetesVersion: null }),
    ];
    expect(names(clusters.sort(compareClusters("kubernetesVersion", true)))).toEqual(["unknown", "old", "new"]);
  });

  it("for choosing has the host first", () => {
    expect(names(hostFirst([cluster("a"), cluster("z", { role: "host" }), cluster("b")]))).toEqual(["z", "a", "b"]);
  });
});

describe("the filter of clusters", () => {
  const eu = cluster("eu-1", { alias: "Production", kubernetesVersion: "v1.36.1", labels: { region: "eu", tier: "" } });

  it.each(["", "EU-1", "production", "1.36", "region=eu", "prod region=eu"])("%j finds it", (filter) => {
    expect(matchesCluster(eu, filter)).toBe(true);
  });

  it.each(["us", "prod region=us", "undefined", "null"])("%j does not", (filter) => {
    expect(matchesCluster(eu, filter)).toBe(false);
  });
});
