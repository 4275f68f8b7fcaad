// What the state and the conditions of a cluster mean: which are bad news, which one says why it cannot be used.
import type { Cluster, Condition } from "../api/types";

/** Why a cluster is not ready, most telling first. Their True is bad news. */
const CAUSES = ["WrongIdentity", "ConfigMalformed", "AuthFailed", "CertInvalid", "Offline", "Degraded"];
const BAD_WHEN_TRUE = new RegExp(`^(${CAUSES.join("|")}|.*Pressure|.*Unavailable)$`);

export type Verdict = "good" | "bad" | "unknown";

export function verdict(condition: Condition): Verdict {
  if (condition.status !== "True" && condition.status !== "False") return "unknown";
  const wanted = BAD_WHEN_TRUE.test(condition.type) ? "False" : "True";
  return condition.status === wanted ? "good" : "bad";
}

function weight(condition: Condition): number {
  const index = CAUSES.indexOf(condition.type);
  return index < 0 ? CAUSES.length : index;
}

/** Why a cluster is not ready, in the words of the condition that says it best. */
export function whyNotReady(cluster: Pick<Cluster, "state" | "conditions">): string | undefined {
  if (cluster.state === "Ready") return undefined;
  const bad = (cluster.conditions ?? [])
    .filter((condition) => verdict(condition) === "bad" && (condition.message || condition.reason))
    .sort((a, b) => weight(a) - weight(b));
  return bad[0]?.message || bad[0]?.reason || undefined;
}

/** When a cluster last answered. One that is offline is still asked, and has been silent since it went. */
export function lastSeen(cluster: Pick<Cluster, "state" | "since" | "asOf">): string | undefined {
  return (cluster.state === "Offline" ? cluster.since : cluster.asOf) ?? undefined;
}
