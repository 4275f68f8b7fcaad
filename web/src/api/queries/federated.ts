import { queryOptions } from "@tanstack/react-query";
import type { LiveList } from "../../live/use-rows";
import { answer, client } from "../client";
import { ApiError, statusOf } from "../status";
import type { Federated, FederatedCreated, FederatedDetail, KubernetesObject, Preview } from "../types";

export const DEPLOYMENTS = "deployments.apps";

function isFederated(value: unknown): value is Federated {
  return typeof value === "object" && value !== null && "clusters" in value && "resource" in value;
}

const keyOf = (object: Federated) => `${object.namespace}/${object.name}`;

export const deploymentList: LiveList<Federated> = {
  topic: { resource: `federated/${DEPLOYMENTS}` },
  keyOf,
  isRow: isFederated,
  load: async (signal) => {
    const params = { path: { resource: DEPLOYMENTS }, query: { limit: 1000 } };
    return (await answer(client.GET("/api/v1/federated/{resource}", { params, signal }))).items;
  },
};

/** One object, live. */
export function deploymentRow(namespace: string, name: string): LiveList<Federated> {
  return {
    topic: { resource: `federated/${DEPLOYMENTS}`, namespace, name },
    keyOf,
    isRow: isFederated,
    load: async (signal) => [(await fetchDeployment(namespace, name, signal)).summary],
  };
}

function objectParams(namespace: string, name: string) {
  return { path: { resource: DEPLOYMENTS, namespace, name } };
}

async function fetchDeployment(
  namespace: string,
  name: string,
  signal: AbortSignal | null = null,
): Promise<FederatedDetail> {
  const params = objectParams(namespace, name);
  const pending = client.GET("/api/v1/federated/{resource}/{namespace}/{name}", { params, signal });
  return (await answer(pending)) as FederatedDetail;
}

/** The object itself. Its spec and status follow the row: each change there makes another query. */
export function deploymentQuery(namespace: string, name: string, row: Federated | undefined) {
  const version = row && [row.generation, row.observedGeneration, row.state, row.reason, row.deleting];
  return queryOptions({
    queryKey: ["federated", DEPLOYMENTS, namespace, name, version],
    queryFn: ({ signal }) => fetchDeployment(namespace, name, signal),
    staleTime: 5_000,
  });
}

export async function createDeployment(object: KubernetesObject): Promise<FederatedCreated> {
  const pending = client.POST("/api/v1/federated/{resource}", {
    params: { path: { resource: DEPLOYMENTS } },
    body: { object, createNamespace: true },
  });
  return (await answer(pending)) as FederatedCreated;
}

/** Status is written while people think; that is no reason to refuse what they decided. */
const ATTEMPTS = 4;

/**
 * Writes a change of the spec that was decided on `seen`. The newest object is changed, so that a status written in
 * between is no conflict; a spec changed in between is one.
 */
export async function changeDeployment(
  seen: KubernetesObject,
  change: (object: KubernetesObject) => KubernetesObject,
): Promise<FederatedDetail> {
  const { namespace = "", name } = seen.metadata;
  const params = objectParams(namespace, name);
  for (let attempt = 1; ; attempt++) {
    const { object } = await fetchDeployment(namespace, name);
    if (object.metadata.generation !== seen.metadata.generation)
      throw new ApiError({ kind: "Status", reason: "Conflict", code: 409 });
    try {
      const body = { object: change(object) };
      const pending = client.PUT("/api/v1/federated/{resource}/{namespace}/{name}", { params, body });
      return (await answer(pending)) as FederatedDetail;
    } catch (error) {
      if (attempt === ATTEMPTS || statusOf(error).reason !== "Conflict") throw error;
    }
  }
}

export async function deleteDeployment(namespace: string, name: string): Promise<void> {
  const params = objectParams(namespace, name);
  await answer(client.DELETE("/api/v1/federated/{resource}/{namespace}/{name}", { params }));
}

/** What the server's planner would do with this object; nothing is saved. */
export function previewQuery(object: KubernetesObject) {
  return queryOptions({
    queryKey: ["preview", object],
    queryFn: async ({ signal }): Promise<Preview> =>
      (await answer(client.POST("/api/v1/federated/preview", { body: { object }, signal }))) as Preview,
    staleTime: 5_000,
    retry: false,
  });
}
