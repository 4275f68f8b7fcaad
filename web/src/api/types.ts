// The console API's types, under the names that the pages use. Unknown values are null or absent.

export type Unknown<T> = T | null | undefined;

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

/** metav1.Status: what every error is, on every surface. */
export interface Status {
  kind: "Status";
  message?: string;
  reason?: string;
  code?: number;
  details?: {
    name?: string;
    kind?: string;
    causes?: StatusCause[];
    cluster?: string;
    stage?: string;
    hint?: string;
    retryAfterSeconds?: number;
  };
}

export interface User {
  name: string;
  displayName: string;
  admin: boolean;
}

export interface Me {
  user: User;
  groups: string[];
  sessionExpiresAt?: Unknown<string>;
  hub: { version: string; publicUrl: string; demo: boolean };
}

export interface CookieSession {
  key: string;
  expiresAt: string;
  user: User;
}

export interface Condition {
  type: string;
  status: string;
  reason?: Unknown<string>;
  message?: Unknown<string>;
  lastTransitionTime?: Unknown<string>;
}

export interface Resources {
  cpuMillis?: Unknown<number>;
  memoryBytes?: Unknown<number>;
  pods?: Unknown<number>;
}

export type ClusterState = "Pending" | "Ready" | "Degraded" | "Offline";
export type ClusterRole = "host" | "member";

export interface Cluster {
  name: string;
  role: ClusterRole;
  alias?: Unknown<string>;
  description?: Unknown<string>;
  provider?: Unknown<string>;
  region?: Unknown<string>;
  labels?: Unknown<Record<string, string>>;
  uid?: Unknown<string>;
  endpoint?: Unknown<string>;
  createdAt: string;
  createdBy?: Unknown<string>;
  state: ClusterState;
  since?: Unknown<string>;
  conditions?: Unknown<Condition[]>;
  kubernetesVersion?: Unknown<string>;
  nodeCount?: Unknown<number>;
  readyNodeCount?: Unknown<number>;
  capacity?: Unknown<Resources>;
  allocatable?: Unknown<Resources>;
  requested?: Unknown<Resources>;
  latencyMs?: Unknown<number>;
  asOf?: Unknown<string>;
  credentialExpiresAt?: Unknown<string>;
}

export interface ObjectRef {
  apiVersion: string;
  kind: string;
  name: string;
}

export interface NewCluster {
  name: string;
  role?: ClusterRole;
  alias?: string;
  description?: string;
  provider?: string;
  region?: string;
  labels?: Record<string, string>;
  kubeconfig: string;
  context?: string;
  admitAdmins?: boolean;
}

export interface ClusterPatch {
  alias?: string | null;
  description?: string | null;
  provider?: string | null;
  region?: string | null;
  role?: ClusterRole;
  labels?: Record<string, string | null>;
}

export interface Removed {
  name: string;
  left?: Unknown<unknown[]>;
}

export interface KubeconfigContext {
  name: string;
  cluster: string;
  user: string;
  server: string;
  authentication: "token" | "clientCertificate" | "none";
  current: boolean;
}

export interface StageLine {
  stage: string;
  state: "running" | "ok" | "warning" | "failed";
  message?: Unknown<string>;
  hint?: Unknown<string>;
  durationMs?: Unknown<number>;
}

export type CheckResult =
  | {
      ok: true;
      contexts: KubeconfigContext[];
      context: string;
      server: string;
      kubernetesVersion?: Unknown<string>;
      uid?: Unknown<string>;
      nodeCount?: Unknown<number>;
      provider?: Unknown<string>;
      region?: Unknown<string>;
      credentialExpiresAt?: Unknown<string>;
      alreadyRegisteredAs?: Unknown<string>;
      willCreate: ObjectRef[];
    }
  | { ok: false; status: Status; contexts?: Unknown<KubeconfigContext[]> };

export type FederatedState = "Ready" | "Progressing" | "Degraded" | "Pending" | "Deleting";

export interface FederatedCluster {
  name: string;
  status: string;
  message?: Unknown<string>;
  lastTransitionTime?: Unknown<string>;
  desiredReplicas?: Unknown<number>;
  readyReplicas?: Unknown<number>;
  updatedReplicas?: Unknown<number>;
  availableReplicas?: Unknown<number>;
  replicas?: Unknown<number>;
  images?: Unknown<string[]>;
  overrides?: Unknown<number>;
}

export interface Federated {
  resource: string;
  kind: string;
  namespace: string;
  name: string;
  uid: string;
  createdAt: string;
  deleting: boolean;
  generation: number;
  observedGeneration?: Unknown<number>;
  state: FederatedState;
  reason?: Unknown<string>;
  message?: Unknown<string>;
  images?: Unknown<string[]>;
  desiredReplicas?: Unknown<number>;
  readyReplicas?: Unknown<number>;
  clusters: FederatedCluster[];
}

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [field: string]: unknown };
  [field: string]: unknown;
}

export interface FederatedDetail {
  summary: Federated;
  object: KubernetesObject;
}

export interface FederatedCreated extends FederatedDetail {
  created: ObjectRef[];
}

export interface PreviewCluster {
  name: string;
  action: "create" | "update" | "unchanged" | "delete" | "keep" | "wait" | "fail" | "none";
  reason?: Unknown<string>;
  message?: Unknown<string>;
  replicas?: Unknown<number>;
  object?: Unknown<KubernetesObject>;
}

export interface Preview {
  clusters: PreviewCluster[];
  warnings?: Unknown<string[]>;
}

export interface Token {
  id: string;
  name: string;
  createdAt: string;
  expiresAt?: Unknown<string>;
  lastUsedAt?: Unknown<string>;
}

export interface NewToken {
  id: string;
  name: string;
  token: string;
  expiresAt?: Unknown<string>;
}

export interface List<T> {
  items: T[];
  totalItems: number;
}
