import type { Cluster, ClusterState as StateName } from "../api/types";
import { useT } from "../i18n/i18n";
import type { PlainId } from "../i18n/ids";
import { State, type Tone } from "../ui/badge";

const TONE: Record<StateName, Tone> = { Ready: "ok", Degraded: "warn", Offline: "bad", Pending: "idle" };

export const STATE_MESSAGE: Record<StateName, PlainId> = {
  Ready: "cluster.state.Ready",
  Degraded: "cluster.state.Degraded",
  Offline: "cluster.state.Offline",
  Pending: "cluster.state.Pending",
};

export function ClusterStateMark({ state }: { state: StateName }) {
  const t = useT();
  return <State tone={TONE[state]}>{t(STATE_MESSAGE[state])}</State>;
}

/** Why a cluster is not ready, in the words of the condition that says so. */
export function whyNotReady(cluster: Cluster): string | undefined {
  if (cluster.state === "Ready") return undefined;
  const conditions = cluster.conditions ?? [];
  const bad = (type: string, status: string) =>
    conditions.find((condition) => condition.type === type && condition.status === status && condition.message);
  const condition =
    bad("Offline", "True") ??
    bad("ConfigMalformed", "True") ??
    bad("Ready", "False") ??
    conditions.find((candidate) => candidate.status !== "True" && candidate.message) ??
    conditions.find((candidate) => candidate.message && candidate.type !== "Ready");
  return condition?.message || condition?.reason || undefined;
}
