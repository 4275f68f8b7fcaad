// Which clusters a list shows, and in which order.
import type { Cluster } from "../../api/types";
import { compareNames } from "../../i18n/format";
import { lastSeen } from "../../kube/conditions";

export const SORT_KEYS = [
  "name",
  "state",
  "nodeCount",
  "kubernetesVersion",
  "provider",
  "cpu",
  "memory",
  "asOf",
  "createdAt",
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** Worst first. */
const SEVERITY = { Offline: 0, Degraded: 1, Pending: 2, Ready: 3 } as const;

function text(a: string | null | undefined, b: string | null | undefined): number {
  return compareNames(a ?? "", b ?? "");
}

function number(a: number | null | undefined, b: number | null | undefined): number {
  return (a ?? -1) - (b ?? -1);
}

const COMPARE: Record<SortKey, (a: Cluster, b: Cluster) => number> = {
  name: (a, b) => compareNames(a.name, b.name),
  state: (a, b) => SEVERITY[a.state] - SEVERITY[b.state],
  nodeCount: (a, b) => number(a.nodeCount, b.nodeCount),
  kubernetesVersion: (a, b) => text(a.kubernetesVersion, b.kubernetesVersion),
  provider: (a, b) => text(a.provider, b.provider),
  cpu: (a, b) => number(a.capacity?.cpuMillis, b.capacity?.cpuMillis),
  memory: (a, b) => number(a.capacity?.memoryBytes, b.capacity?.memoryBytes),
  asOf: (a, b) => text(lastSeen(a), lastSeen(b)),
  createdAt: (a, b) => text(a.createdAt, b.createdAt),
};

/** Equal ones stay in the order of their names, whichever way the rest goes. */
export function compareClusters(by: SortKey, ascending: boolean): (a: Cluster, b: Cluster) => number {
  const sign = ascending ? 1 : -1;
  return (a, b) => sign * COMPARE[by](a, b) || COMPARE.name(a, b);
}

/** Whether every word of the filter stands somewhere in what the row says or in a label. */
export function matchesCluster(cluster: Cluster, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const labels = Object.entries(cluster.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const haystack = [cluster.name, cluster.alias, cluster.kubernetesVersion, cluster.provider, cluster.region, ...labels]
    .filter(Boolean)
    .join(" ")
    .toLowerCase();
  return words.every((word) => haystack.includes(word));
}

/** The host first, then members by name: the order in which people choose among clusters. */
export function hostFirst(clusters: readonly Cluster[]): readonly Cluster[] {
  const rank = (cluster: Cluster) => (cluster.role === "host" ? 0 : 1);
  return [...clusters].sort((a, b) => rank(a) - rank(b) || compareNames(a.name, b.name));
}
