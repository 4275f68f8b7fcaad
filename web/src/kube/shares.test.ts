import { describe, expect, it } from "vitest";
import { readShares } from "./shares";

const preference = {
  apiVersion: "scheduling.kubefed.io/v1alpha1",
  kind: "ReplicaSchedulingPreference",
  metadata: { name: "web", namespace: "shop" },
  spec: { totalReplicas: 9 },
};

describe("shares", () => {
  it("each cluster has its number and the reason for it", () => {
    const status = {
      conditions: [{ status: "False", message: "2 of 9 replicas found no place" }],
      unplacedReplicas: 2,
      clusters: [{ name: "eu-1", replicas: 7, reason: "its part by weight 2" }],
    };
    expect(readShares({ ...preference, status })).toEqual({
      total: 9,
      unplaced: 2,
      message: "2 of 9 replicas found no place",
      clusters: [{ name: "eu-1", replicas: 7, reason: "its part by weight 2" }],
    });
  });

  it("one that was not looked at yet has none", () => {
    expect(readShares(preference)).toEqual({ total: 9, unplaced: 0, message: "", clusters: [] });
  });
});
