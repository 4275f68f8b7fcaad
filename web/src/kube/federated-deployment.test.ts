import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  buildDeployment,
  type DeploymentForm,
  formField,
  formOf,
  IMAGE_PATH,
  overrideOf,
  REPLICAS_PATH,
  readDeployment,
  withImage,
  withReplicas,
} from "./federated-deployment";

const FORM: DeploymentForm = {
  name: "web",
  namespace: "shop",
  image: "nginx:1.27",
  ports: [{ name: "http", port: "8080", protocol: "TCP" }],
  cpuRequest: "100m",
  cpuLimit: "",
  memoryRequest: "",
  memoryLimit: "256Mi",
  replicas: "3",
  clusters: [
    { name: "eu-1", selected: true, replicas: "", image: "" },
    { name: "us-1", selected: true, replicas: "5", image: "nginx:1.26" },
    { name: "ap-1", selected: false, replicas: "9", image: "" },
  ],
};

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const count = fc.nat(50).map(String);
const amount = fc.constantFrom("", "100m", "1", "64Mi");

const forms: fc.Arbitrary<DeploymentForm> = fc.record({
  name: label,
  namespace: label,
  image: label.map((name) => `registry.example/${name}:1`),
  ports: fc.uniqueArray(
    fc.record({
      name: fc.option(label, { nil: "" }),
      port: fc.integer({ min: 1, max: 65535 }).map(String),
      protocol: fc.constantFrom("TCP" as const, "UDP" as const),
    }),
    { selector: (row) => row.port, maxLength: 3 },
  ),
  cpuRequest: amount,
  cpuLimit: amount,
  memoryRequest: amount,
  memoryLimit: amount,
  replicas: count,
  clusters: fc.uniqueArray(
    fc.record({
      name: label,
      selected: fc.boolean(),
      replicas: fc.option(count, { nil: "" }),
      image: fc.option(
        label.map((name) => `${name}:2`),
        { nil: "" },
      ),
    }),
    { selector: (row) => row.name, maxLength: 4 },
  ),
});

/** What the form says once: a value equal to the common one is no difference, and unchosen clusters say nothing. */
function said(form: DeploymentForm): DeploymentForm {
  const clusters = form.clusters.map((row) =>
    row.selected
      ? {
          ...row,
          replicas: row.replicas === form.replicas ? "" : row.replicas,
          image: row.image === form.image ? "" : row.image,
        }
      : { ...row, replicas: "", image: "" },
  );
  return { ...form, clusters };
}

describe("the object a form builds", () => {
  it("holds template, placement, and overrides only where a cluster differs", () => {
    expect(buildDeployment(FORM)).toEqual({
      apiVersion: "types.kubefed.io/v1beta1",
      kind: "FederatedDeployment",
      metadata: { name: "web", namespace: "shop" },
      spec: {
        template: {
          metadata: { labels: { app: "web" } },
          spec: {
            replicas: 3,
            selector: { matchLabels: { app: "web" } },
            template: {
              metadata: { labels: { app: "web" } },
              spec: {
                containers: [
                  {
                    name: "web",
                    image: "nginx:1.27",
                    ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
                    resources: { requests: { cpu: "100m" }, limits: { memory: "256Mi" } },
                  },
                ],
              },
            },
          },
        },
        placement: { clusters: [{ name: "eu-1" }, { name: "us-1" }] },
        overrides: [
          {
            clusterName: "us-1",
            clusterOverrides: [
              { path: "/spec/replicas", value: 5 },
              { path: "/spec/template/spec/containers/0/image", value: "nginx:1.26" },
            ],
          },
        ],
      },
    });
  });

  it("reads back as the form that built it", () => {
    fc.assert(
      fc.property(forms, (form) => {
        const fleet = form.clusters.map((row) => row.name);
        expect(formOf(buildDeployment(form), fleet)).toEqual(said(form));
      }),
    );
  });
});

describe("changing one value of an object", () => {
  it("scaling touches replicas and nothing else", () => {
    const before = buildDeployment(FORM);
    const after = withReplicas(
      before,
      7,
      new Map([
        ["us-1", undefined],
        ["eu-1", 2],
      ]),
    );
    expect(readDeployment(after).replicas).toBe(7);
    expect(overrideOf(readDeployment(after), "eu-1", REPLICAS_PATH)).toBe("2");
    expect(overrideOf(readDeployment(after), "us-1", REPLICAS_PATH)).toBe("");
    expect(overrideOf(readDeployment(after), "us-1", IMAGE_PATH)).toBe("nginx:1.26");
    expect(overrideOf(readDeployment(before), "us-1", REPLICAS_PATH), "the original is left alone").toBe("5");
  });

  it("an override equal to the common value is dropped, and an empty list of overrides too", () => {
    const after = withImage(
      withReplicas(buildDeployment(FORM), 5, new Map([["us-1", 5]])),
      "nginx:1.26",
      new Map([["us-1", "nginx:1.26"]]),
    );
    expect(after.spec).not.toHaveProperty("overrides");
  });

  it("patches the console does not know are kept, other operations included", () => {
    const object = buildDeployment(FORM);
    const foreign = { op: "add", path: "/metadata/annotations", value: { a: "b" } };
    Object.assign(object.spec ?? {}, { overrides: [{ clusterName: "eu-1", clusterOverrides: [foreign] }], extra: 1 });
    const after = withReplicas(object, 4, new Map([["eu-1", 9]]));
    expect(readDeployment(after).overrides).toEqual([
      { clusterName: "eu-1", clusterOverrides: [foreign, { path: REPLICAS_PATH, value: 9 }] },
    ]);
    expect(after.spec).toHaveProperty("extra", 1);
  });
});

describe("the field a refusal is about", () => {
  it.each([
    ["metadata.name", "name"],
    ["object.metadata.namespace", "namespace"],
    ["spec.template.spec.replicas", "replicas"],
    ["spec.template.spec.template.spec.containers[0].image", "image"],
    ["spec.template.spec.template.spec.containers[0].ports[0].containerPort", "ports.0.port"],
    ["spec.template.spec.template.spec.containers[0].resources.limits[memory]", "memoryLimit"],
    ["spec.placement.clusters[1].name", "clusters"],
    ["spec.overrides[0].clusterOverrides[0].value", "clusters.1.replicas"],
    ["spec.overrides[0].clusterOverrides[1]", "clusters.1.image"],
    ["spec.strategy", undefined],
  ])("%s", (path, field) => {
    expect(formField(path, FORM)).toBe(field);
  });
});
