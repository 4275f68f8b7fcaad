// Where a replica preference puts replicas, and why: read from the status that the hub writes.
import type { KubernetesObject } from "../api/types";

export interface Share {
  name: string;
  replicas: number;
  reason: string;
}

export interface Shares {
  total: number;
  /** What found no place. */
  unplaced: number;
  /** What is wrong with the whole. */
  message: string;
  clusters: Share[];
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function items(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

const text = (value: unknown) => (typeof value === "string" ? value : "");
const count = (value: unknown) => (typeof value === "number" ? value : 0);

export function readShares(preference: KubernetesObject): Shares {
  const { spec, status } = preference;
  const condition = items(field(status, "conditions"))[0];
  return {
    total: count(field(spec, "totalReplicas")),
    unplaced: count(field(status, "unplacedReplicas")),
    message: text(field(condition, "message")),
    clusters: items(field(status, "clusters")).map((entry) => ({
      name: text(field(entry, "name")),
      replicas: count(field(entry, "replicas")),
      reason: text(field(entry, "reason")),
    })),
  };
}
