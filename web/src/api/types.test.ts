// The compiler is what runs these: `npm run check` fails when a type written by hand and the hub's document part ways.
import { expectTypeOf, it } from "vitest";
import type { components, operations } from "./schema";
import type {
  CheckResult,
  FederatedCreated,
  FederatedDetail,
  KubernetesObject,
  Preview,
  PreviewCluster,
  Status,
} from "./types";

type Schemas = components["schemas"];

it("what is narrower here is still what the document says", () => {
  expectTypeOf<FederatedDetail>().toExtend<Schemas["FederatedDetail"]>();
  expectTypeOf<FederatedCreated>().toExtend<Schemas["FederatedCreated"]>();
  expectTypeOf<PreviewCluster>().toExtend<Schemas["PreviewCluster"]>();
  expectTypeOf<Preview>().toExtend<Schemas["Preview"]>();
  expectTypeOf<Extract<CheckResult, { ok: true }>>().toExtend<Schemas["CheckPassed"]>();
  expectTypeOf<KubernetesObject>().toExtend<Schemas["FederatedBody"]["object"]>();
});

it("every error of the document can be read as a Status, but for its kind", () => {
  expectTypeOf<Omit<Schemas["Status"], "kind">>().toExtend<Omit<Status, "kind">>();
  type Failure = operations["register_cluster"]["responses"]["default"]["content"]["application/json"];
  expectTypeOf<Failure>().toEqualTypeOf<Schemas["Status"]>();
});

it("an answer that is not there yet is null or left out, and never undefined in a request", () => {
  expectTypeOf<Schemas["Cluster"]["nodeCount"]>().toEqualTypeOf<number | null | undefined>();
  expectTypeOf<Schemas["ClusterPatch"]["alias"]>().toEqualTypeOf<string | null | undefined>();
});
