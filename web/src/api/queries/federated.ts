import { queryOptions } from "@tanstack/react-query";
import type { LiveList } from "../../live/use-rows";
import { answer, client } from "../client";
import { ApiError, statusOf } from "../status";
import type {
  Federated,
  FederatedCreated,
  FederatedDetail,
  FederatedEvent,
  FederatedType,
  KubernetesObject,
  Preview,
} from "../types";

export const DEPLOYMENTS = "deployments.apps";

/** An object, or what somebody wrote as YAML: reading it is the server's work. */
export type ObjectOrYaml = KubernetesObject | string;

/** Which object. A summary is one. */
export interface Place {
  resource: string;
  /** Empty for what lives in none. */
  namespace: string;
  name: string;
}

/** A place as paths name it. */
export function pathOf({ resource, namespace, name }: Place) {
  return { resource, namespace: namespace || "-", name };
}

function isFederated(value: unknown): value is Federated {
  return typeof value === "object" && value !== null && "clusters" in value && "resource" in value;
}

const keyOf = (object: Federated) => `${object.namespace}/${object.name}`;

/** The types that the hub federates now. */
export const typesQuery = queryOptions({
  queryKey: ["federated-types"],
  queryFn: async ({ signal }): Promise<FederatedType[]> =>
    (await answer(client.GET("/api/v1/federated/types", { signal }))).items,
  staleTime: 15_000,
});

/** The objects of a type, live. */
export function federatedList(resource: string): LiveList<Federated> {
  return {
    topic: { resource: `federated/${resource}` },
    keyOf,
    isRow: isFederated,
    load: async (signal) => {
      const params = { path: { resource }, query: { limit: 1000 } };
      return (await answer(client.GET("/api/v1/federated/{resource}", { params, signal }))).items;
    },
  };
}

export const deploymentList = federatedList(DEPLOYMENTS);

/** One object, live. */
export function federatedRow(place: Place): LiveList<Federated> {
  const { resource, namespace, name } = place;
  return {
    topic: { resource: `federated/${resource}`, ...(namespace && { namespace }), name },
    keyOf,
    isRow: isFederated,
    load: async (signal) => [(await fetchFederated(place, signal)).summary],
  };
}

function objectParams(place: Place) {
  return { path: pathOf(place) };
}

async function fetchFederated(place: Place, signal: AbortSignal | null = null): Promise<FederatedDetail> {
  const params = objectParams(place);
  const pending = client.GET("/api/v1/federated/{resource}/{namespace}/{name}", { params, signal });
  return (await answer(pending)) as FederatedDetail;
}

/** The object itself. Its spec and status follow the row: each change there makes another query. */
export function federatedQuery(place: Place, row: Federated | undefined) {
  const replicas = row?.clusters.map((cluster) => cluster.desiredReplicas);
  const version = row && [row.generation, row.observedGeneration, row.state, row.reason, row.deleting, replicas];
  const { resource, namespace, name } = place;
  return queryOptions({
    queryKey: ["federated", resource, namespace, name, version],
    queryFn: ({ signal }) => fetchFederated(place, signal),
    staleTime: 5_000,
  });
}

/** What happened to an object. */
export function eventsQuery(place: Place) {
  const { resource, namespace, name } = place;
  return queryOptions({
    queryKey: ["federated-events", resource, namespace, name],
    queryFn: async ({ signal }): Promise<FederatedEvent[]> => {
      const path = "/api/v1/federated/{resource}/{namespace}/{name}/events";
      return (await answer(client.GET(path, { params: objectParams(place), signal }))).items;
    },
    refetchInterval: 10_000,
  });
}

export async function createFederated(resource: string, object: ObjectOrYaml): Promise<FederatedCreated> {
  const pending = client.POST("/api/v1/federated/{resource}", {
    params: { path: { resource } },
    body: { object: object as KubernetesObject, createNamespace: true },
  });
  return (await answer(pending)) as FederatedCreated;
}

/** Status is written while people think; that is no reason to refuse what they decided. */
const ATTEMPTS = 4;

/**
 * Writes a change of the spec that was decided on `seen`. The newest object is changed, so that a status written in
 * between is no conflict; a spec changed in between is one.
 */
export async function changeFederated(
  place: Place,
  seen: KubernetesObject,
  change: (object: KubernetesObject) => KubernetesObject,
): Promise<FederatedDetail> {
  for (let attempt = 1; ; attempt++) {
    const { object } = await fetchFederated(place);
    if (object.metadata.generation !== seen.metadata.generation)
      throw new ApiError({ kind: "Status", reason: "Conflict", code: 409 });
    try {
      return await replaceFederated(place, change(object));
    } catch (error) {
      if (attempt === ATTEMPTS || statusOf(error).reason !== "Conflict") throw error;
    }
  }
}

/** Writes an object as it stands; one that names its version must not have changed since. */
export async function replaceFederated(place: Place, object: ObjectOrYaml): Promise<FederatedDetail> {
  const body = { object: object as KubernetesObject };
  const pending = client.PUT("/api/v1/federated/{resource}/{namespace}/{name}", { params: objectParams(place), body });
  return (await answer(pending)) as FederatedDetail;
}

export async function deleteFederated(place: Place): Promise<void> {
  const params = objectParams(place);
  await answer(client.DELETE("/api/v1/federated/{resource}/{namespace}/{name}", { params }));
}

/** What the server's planner would do with this object; nothing is saved. */
export function previewQuery(object: ObjectOrYaml) {
  return queryOptions({
    queryKey: ["preview", object],
    queryFn: async ({ signal }): Promise<Preview> => {
      const body = { object: object as KubernetesObject };
      return (await answer(client.POST("/api/v1/federated/preview", { body, signal }))) as Preview;
    },
    staleTime: 5_000,
    retry: false,
  });
}
