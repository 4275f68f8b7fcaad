import type { Federated } from "../api/types";
import { useT } from "../i18n/i18n";
import type { PlainId } from "../i18n/ids";
import { State, type Tone } from "../ui/badge";
import type { IconName } from "../ui/icon";

type Name = Federated["state"];

const LOOK: Record<Name, { tone: Tone; message: PlainId; icon?: IconName }> = {
  Ready: { tone: "ok", message: "federated.state.Ready" },
  Progressing: { tone: "info", message: "federated.state.Progressing", icon: "refresh" },
  Degraded: { tone: "warn", message: "federated.state.Degraded" },
  Pending: { tone: "idle", message: "federated.state.Pending" },
  Deleting: { tone: "bad", message: "federated.state.Deleting", icon: "trash" },
};

export const FEDERATED_STATES: readonly Name[] = ["Ready", "Progressing", "Degraded", "Pending", "Deleting"];

export function federatedStateMessage(state: Name): PlainId {
  return LOOK[state].message;
}

export function FederatedStateMark({ state }: { state: Name }) {
  const t = useT();
  const { tone, message, icon } = LOOK[state];
  return (
    <State tone={tone} {...(icon && { icon })}>
      {t(message)}
    </State>
  );
}
