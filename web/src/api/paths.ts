// The operations that the console calls, in the shape openapi-fetch reads.
import type {
  Cluster,
  ClusterPatch,
  CookieSession,
  Federated,
  FederatedCreated,
  FederatedDetail,
  KubernetesObject,
  List,
  Me,
  NewToken,
  Preview,
  Removed,
  Status,
  Token,
} from "./types";

interface Parameters {
  query?: Record<string, string | number | boolean>;
  path?: Record<string, string>;
}

interface Operation<P extends Parameters, Body, Answer> {
  parameters: P;
  requestBody?: Body extends undefined ? never : { content: { "application/json": Body } };
  responses: {
    200: { content: { "application/json": Answer } };
    default: { content: { "application/json": Status } };
  };
}

type Paging = { limit?: number; page?: number; sortBy?: string; ascending?: boolean };
type Named = { path: { name: string } };
type Typed = { path: { resource: string } };
type Object = { path: { resource: string; namespace: string; name: string } };
type None = Record<string, never>;

export interface paths {
  "/api/v1/sessions": {
    post: Operation<None, { username: string; password: string; cookie: true }, CookieSession>;
  };
  "/api/v1/sessions/current": { delete: Operation<None, undefined, undefined> };
  "/api/v1/me": { get: Operation<None, undefined, Me> };
  "/api/v1/clusters": { get: Operation<{ query?: Paging }, undefined, List<Cluster>> };
  "/api/v1/clusters/{name}": {
    get: Operation<Named, undefined, Cluster>;
    patch: Operation<Named, ClusterPatch, Cluster>;
    delete: Operation<Named & { query?: { managed: "orphan" | "delete" } }, undefined, Removed>;
  };
  "/api/v1/clusters/{name}/credential": {
    put: Operation<Named, { kubeconfig: string; context?: string }, Cluster>;
  };
  "/api/v1/tokens": {
    get: Operation<None, undefined, List<Token>>;
    post: Operation<None, { name: string; expiresInDays?: number }, NewToken>;
  };
  "/api/v1/tokens/{id}": { delete: Operation<{ path: { id: string } }, undefined, undefined> };
  "/api/v1/stream-tickets": { post: Operation<None, undefined, { ticket: string; expiresAt: string }> };
  "/api/v1/federated/preview": { post: Operation<None, { object: KubernetesObject }, Preview> };
  "/api/v1/federated/{resource}": {
    get: Operation<Typed & { query?: Paging }, undefined, List<Federated>>;
    post: Operation<Typed, { object: KubernetesObject; createNamespace: boolean }, FederatedCreated>;
  };
  "/api/v1/federated/{resource}/{namespace}/{name}": {
    get: Operation<Object, undefined, FederatedDetail>;
    put: Operation<Object, { object: KubernetesObject }, FederatedDetail>;
    delete: Operation<Object, undefined, undefined>;
  };
}
