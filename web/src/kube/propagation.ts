// The words that a federated object's status uses for one cluster, KubeFed's and ours, each with a plain sentence.
import type { PlainId } from "../i18n/ids";

export type Tone = "ok" | "warn" | "bad" | "info" | "idle";

const WORDS: Record<string, { message: PlainId; tone: Tone }> = {
  OK: { message: "propagation.OK", tone: "ok" },
  WaitingForRemoval: { message: "propagation.WaitingForRemoval", tone: "info" },
  ClusterNotReady: { message: "propagation.ClusterNotReady", tone: "bad" },
  CachedRetrievalFailed: { message: "propagation.CachedRetrievalFailed", tone: "warn" },
  ComputeResourceFailed: { message: "propagation.ComputeResourceFailed", tone: "bad" },
  ApplyOverridesFailed: { message: "propagation.ApplyOverridesFailed", tone: "bad" },
  CreationFailed: { message: "propagation.CreationFailed", tone: "bad" },
  UpdateFailed: { message: "propagation.UpdateFailed", tone: "bad" },
  DeletionFailed: { message: "propagation.DeletionFailed", tone: "bad" },
  LabelRemovalFailed: { message: "propagation.LabelRemovalFailed", tone: "bad" },
  RetrievalFailed: { message: "propagation.RetrievalFailed", tone: "bad" },
  AlreadyExists: { message: "propagation.AlreadyExists", tone: "bad" },
  FieldRetentionFailed: { message: "propagation.FieldRetentionFailed", tone: "bad" },
  VersionRetrievalFailed: { message: "propagation.RetrievalFailed", tone: "bad" },
  ClientRetrievalFailed: { message: "propagation.ClientRetrievalFailed", tone: "bad" },
  ManagedLabelFalse: { message: "propagation.ManagedLabelFalse", tone: "bad" },
  CreationTimedOut: { message: "propagation.CreationTimedOut", tone: "warn" },
  UpdateTimedOut: { message: "propagation.UpdateTimedOut", tone: "warn" },
  DeletionTimedOut: { message: "propagation.DeletionTimedOut", tone: "warn" },
  LabelRemovalTimedOut: { message: "propagation.LabelRemovalTimedOut", tone: "warn" },
  ApiMissing: { message: "propagation.ApiMissing", tone: "bad" },
  Invalid: { message: "propagation.Invalid", tone: "bad" },
  Held: { message: "propagation.Held", tone: "warn" },
  Drifted: { message: "propagation.Drifted", tone: "warn" },
  NamespaceNotFederated: { message: "propagation.NamespaceNotFederated", tone: "bad" },
  ClusterRetrievalFailed: { message: "propagation.ClusterRetrievalFailed", tone: "bad" },
  ComputePlacementFailed: { message: "propagation.ComputePlacementFailed", tone: "bad" },
  InvalidOverrides: { message: "propagation.InvalidOverrides", tone: "bad" },
  InvalidPreference: { message: "propagation.InvalidPreference", tone: "bad" },
  InvalidName: { message: "propagation.InvalidName", tone: "bad" },
  CheckClusters: { message: "propagation.CheckClusters", tone: "warn" },
};

export const KNOWN_WORDS = Object.keys(WORDS);

export function propagationTone(word: string): Tone {
  return WORDS[word || "OK"]?.tone ?? "warn";
}

/** What the hub says beside the word, where our sentence does not say the same already. */
export function propagationDetail(word: string, message: string | null | undefined): string | undefined {
  return word === "ClusterNotReady" || word === "Held" ? undefined : message || undefined;
}

/** The plain sentence for this word; none for words of a newer server, which are shown as they are. */
export function propagationMessage(word: string): PlainId | undefined {
  return WORDS[word || "OK"]?.message;
}
