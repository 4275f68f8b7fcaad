import type { ClusterState as StateName } from "../api/types";
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
