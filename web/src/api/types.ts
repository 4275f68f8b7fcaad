// The console API's types, under the names that the pages use. They are the schema's; where the document says less than
// the hub does, the type here is narrower, and `types.test.ts` proves that the two agree.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type StatusCause = Schemas["StatusCause"];

/** metav1.Status: what every error is, on every surface. Those made here, or by something else, have less in them. */
export type Status = Omit<Partial<Schemas["Status"]>, "kind"> & { kind: "Status" };

export type User = Schemas["User"];
export type Me = Schemas["Me"];
export type CookieSession = Schemas["CookieSession"];

export type Condition = Schemas["Condition"];
export type Resources = Schemas["Resources"];
export type ClusterState = Schemas["ClusterState"];
export type ClusterRole = Schemas["ClusterRole"];
export type Cluster = Schemas["Cluster"];
export type ObjectRef = Schemas["ObjectRef"];
export type NewCluster = Schemas["NewCluster"];
export type ClusterPatch = Schemas["ClusterPatch"];
export type Removed = Schemas["Removed"];
export type KubeconfigContext = Schemas["KubeconfigContext"];

/** A stage of a connection check that started or ended: one line of the answer. */
export interface StageLine {
  stage: string;
  state: "running" | "ok" | "warning" | "failed";
  message?: string | null | undefined;
  hint?: string | null | undefined;
  durationMs?: number | null | undefined;
}

export interface CheckFailed {
  ok: false;
  status: Status;
  contexts?: KubeconfigContext[] | null;
}

/** How a connection check ended: its last line. */
export type CheckResult = (Schemas["CheckPassed"] & { ok: true }) | CheckFailed;

export type FederatedState = Schemas["FederatedState"];
export type FederatedCluster = Schemas["FederatedCluster"];
export type Federated = Schemas["Federated"];

/** What every Kubernetes object has; the document calls it an object and no more. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [field: string]: unknown };
  [field: string]: unknown;
}

export type FederatedType = Schemas["FederatedType"];
export type FederatedEvent = Schemas["FederatedEvent"];
export type FederatedDetail = Omit<Schemas["FederatedDetail"], "object" | "preference"> & {
  object: KubernetesObject;
  preference?: KubernetesObject | null;
};
export type FederatedCreated = Schemas["FederatedCreated"] & { object: KubernetesObject };

export type FieldChange = Schemas["FieldChange"];
export type PreviewCluster = Omit<Schemas["PreviewCluster"], "object"> & { object?: KubernetesObject | null };
export type Preview = Omit<Schemas["Preview"], "clusters"> & { clusters: PreviewCluster[] };

export type Hold = Schemas["Hold"];
export type HoldDetail = Schemas["HoldDetail"];
export type HoldAnswered = Schemas["HoldAnswered"];
export type HoldAnswer = Schemas["HoldAnswerKind"];

export type Token = Schemas["Token"];
export type NewToken = Schemas["NewToken"];
