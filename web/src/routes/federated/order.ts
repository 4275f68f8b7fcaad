// Which federated objects a list shows, and in which order.
import type { Federated } from "../../api/types";
import { compareNames } from "../../i18n/format";
import { propagationTone } from "../../kube/propagation";

export const SORT_KEYS = ["name", "namespace", "state", "ready", "clusters", "images", "createdAt"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** Worst first. */
const SEVERITY = { Degraded: 0, Deleting: 1, Progressing: 2, Pending: 3, Ready: 4 } as const;

/** The share of wanted replicas that is ready; nothing wanted is all there. */
function readiness(object: Federated): number {
  const desired = object.desiredReplicas ?? 0;
  return desired > 0 ? (object.readyReplicas ?? 0) / desired : 1;
}

const COMPARE: Record<SortKey, (a: Federated, b: Federated) => number> = {
  name: (a, b) => compareNames(a.name, b.name),
  namespace: (a, b) => compareNames(a.namespace, b.namespace),
  state: (a, b) => SEVERITY[a.state] - SEVERITY[b.state],
  ready: (a, b) => readiness(a) - readiness(b),
  clusters: (a, b) => a.clusters.length - b.clusters.length,
  images: (a, b) => compareNames(a.images?.[0] ?? "", b.images?.[0] ?? ""),
  createdAt: (a, b) => compareNames(a.createdAt, b.createdAt),
};

/** Equal ones stay in the order of their names, whichever way the rest goes. */
export function compareFederated(by: SortKey, ascending: boolean): (a: Federated, b: Federated) => number {
  const sign = ascending ? 1 : -1;
  return (a, b) => sign * COMPARE[by](a, b) || COMPARE.name(a, b) || COMPARE.namespace(a, b);
}

/** Whether every word of the filter stands somewhere in namespace, name, images or clusters. */
export function matchesFederated(object: Federated, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const clusters = object.clusters.map((cluster) => cluster.name);
  const haystack = [`${object.namespace}/${object.name}`, ...(object.images ?? []), ...clusters]
    .join(" ")
    .toLowerCase();
  return words.every((word) => haystack.includes(word));
}

/** Whether a second line has to say what is wrong. */
export function inTrouble(object: Federated): boolean {
  const away = object.clusters.some((cluster) => propagationTone(cluster.status) !== "ok");
  return object.state !== "Ready" && (away || Boolean(object.reason));
}
