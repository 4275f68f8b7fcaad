import type { LiveList } from "../../live/use-rows";
import { answer, client, send } from "../client";
import { lines } from "../ndjson";
import { ApiError } from "../status";
import type { CheckResult, Cluster, ClusterPatch, NewCluster, ObjectRef, Removed, StageLine, Status } from "../types";

export const clusterList: LiveList<Cluster> = {
  topic: { resource: "clusters" },
  keyOf: (cluster) => cluster.name,
  isRow: (value): value is Cluster => typeof value === "object" && value !== null && "role" in value,
  load: async (signal) =>
    (await answer(client.GET("/api/v1/clusters", { params: { query: { limit: 1000 } }, signal }))).items,
};

export function editCluster(name: string, patch: ClusterPatch): Promise<Cluster> {
  return answer(
    client.PATCH("/api/v1/clusters/{name}", {
      params: { path: { name } },
      body: patch,
      headers: { "Content-Type": "application/merge-patch+json" },
    }),
  );
}

export function removeCluster(name: string, managed: "orphan" | "delete"): Promise<Removed> {
  return answer(client.DELETE("/api/v1/clusters/{name}", { params: { path: { name }, query: { managed } } }));
}

export function replaceCredential(name: string, kubeconfig: string, context?: string): Promise<Cluster> {
  return answer(
    client.PUT("/api/v1/clusters/{name}/credential", {
      params: { path: { name } },
      body: { kubeconfig, ...(context && { context }) },
    }),
  );
}

const LINES = "application/x-ndjson";

type Ended<T> = { stage: StageLine } | T;

async function* stages<T>(response: Response): AsyncGenerator<Ended<T>> {
  if (!response.body) return;
  for await (const line of lines(response.body)) {
    if (typeof line === "object" && line !== null && "stage" in line) yield { stage: line as StageLine };
    else yield line as T;
  }
}

/** Checks a connection; nothing is saved. Each stage arrives as it ends, the result last. */
export async function* checkConnection(kubeconfig: string, context: string | undefined, signal: AbortSignal) {
  const body = { kubeconfig, ...(context && { context }) };
  const response = await send("/api/v1/connection-checks", body, LINES, signal);
  yield* stages<{ result: CheckResult }>(response);
}

export interface Joined {
  cluster: Cluster;
  created?: ObjectRef[] | null;
}

/** Registers a cluster, calling back for each stage on the way. */
export async function addCluster(
  cluster: NewCluster,
  signal: AbortSignal,
  onStage: (stage: StageLine) => void,
): Promise<Joined> {
  let joined: Joined | undefined;
  const response = await send("/api/v1/clusters", cluster, LINES, signal);
  for await (const line of stages<Joined | { status: Status }>(response)) {
    if ("stage" in line) onStage(line.stage);
    else if ("status" in line) throw new ApiError(line.status);
    else joined = line;
  }
  if (!joined) throw new ApiError({ kind: "Status", reason: "Unreachable" });
  return joined;
}

/** A kubeconfig for the hub and these clusters, all of them when none is named. */
export async function createKubeconfig(clusters?: readonly string[]): Promise<string> {
  const response = await send("/api/v1/kubeconfigs", clusters ? { clusters: [...clusters] } : {}, "application/yaml");
  return response.text();
}
