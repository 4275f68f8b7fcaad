import { beforeAll, describe, expect, it } from "vitest";
import type { Federated } from "../../api/types";
import { i18n } from "../../i18n/i18n";
import { compareFederated, inTrouble, matchesFederated } from "./order";

const object = (name: string, more: Partial<Federated> = {}): Federated => ({
  resource: "deployments.apps",
  kind: "FederatedDeployment",
  namespace: "shop",
  name,
  uid: name,
  createdAt: "2026-01-01T00:00:00Z",
  deleting: false,
  generation: 1,
  state: "Ready",
  images: [],
  clusters: [],
  ...more,
});

const at = (name: string, status = "OK") => ({ name, status, images: [], overrides: 0 });

const names = (objects: readonly Federated[]) => objects.map(({ name }) => name);

beforeAll(() => i18n.loadAndActivate({ locale: "en", messages: {} }));

describe("the order of federated objects", () => {
  it("by readiness puts what lacks most first, and what wants nothing last", () => {
    const objects = [
      object("none", { desiredReplicas: 0, readyReplicas: 0 }),
      object("half", { desiredReplicas: 4, readyReplicas: 2 }),
      object("most", { desiredReplicas: 10, readyReplicas: 9 }),
    ];
    expect(names(objects.sort(compareFederated("ready", true)))).toEqual(["half", "most", "none"]);
  });

  it("by state puts the worst first", () => {
    const objects = [object("b"), object("c", { state: "Degraded" }), object("a")];
    expect(names(objects.sort(compareFederated("state", true)))).toEqual(["c", "a", "b"]);
  });
});

describe("the filter of federated objects", () => {
  const web = object("web", { images: ["nginx:1.27"], clusters: [at("eu-1")] });

  it.each(["", "shop/web", "NGINX", "eu-1", "shop nginx"])("%j finds it", (filter) => {
    expect(matchesFederated(web, filter)).toBe(true);
  });

  it.each(["us-1", "undefined"])("%j does not", (filter) => {
    expect(matchesFederated(web, filter)).toBe(false);
    expect(matchesFederated(object("x"), "undefined")).toBe(false);
  });
});

describe("a federated object's second line", () => {
  it("is there while a cluster is not in step or the whole has a reason, never once it is ready", () => {
    const away = [at("eu-1", "ClusterNotReady")];
    expect(inTrouble(object("a", { state: "Degraded", clusters: away }))).toBe(true);
    expect(inTrouble(object("a", { state: "Pending", reason: "NamespaceNotFederated" }))).toBe(true);
    expect(inTrouble(object("a", { state: "Progressing", clusters: [at("eu-1")] }))).toBe(false);
    expect(inTrouble(object("a", { clusters: away }))).toBe(false);
  });
});
