import type { Cluster } from "../../api/types";
import { CredentialDialog } from "./credential-dialog";
import { EditDialog } from "./edit-dialog";
import { RemoveDialog } from "./remove-dialog";

/** What a person is about to do with a cluster. */
export interface Task {
  kind: "edit" | "credential" | "remove";
  cluster: Cluster;
}

interface TaskDialogProps {
  task: Task | undefined;
  onClose(): void;
  onRemoved?: () => void;
}

export function TaskDialog({ task, onClose, onRemoved }: TaskDialogProps) {
  if (task?.kind === "edit") return <EditDialog cluster={task.cluster} onClose={onClose} />;
  if (task?.kind === "credential") return <CredentialDialog cluster={task.cluster} onClose={onClose} />;
  if (task?.kind === "remove") return <RemoveDialog cluster={task.cluster} onClose={onClose} onRemoved={onRemoved} />;
  return null;
}
