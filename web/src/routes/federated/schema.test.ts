import { describe, expect, it } from "vitest";
import type { DeploymentForm } from "../../kube/federated-deployment";
import { deploymentSchema } from "./schema";

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
    { name: "us-1", selected: false, replicas: "", image: "" },
  ],
};

/** What the form says about a change of it: where, and which message. */
function problems(change: Partial<DeploymentForm>): [string, string][] {
  const checked = deploymentSchema.safeParse({ ...FORM, ...change });
  return (checked.error?.issues ?? []).map(({ path, message }) => [path.join("."), message]);
}

const port = (port: string, more: Partial<DeploymentForm["ports"][number]> = {}) => ({
  name: "",
  port,
  protocol: "TCP" as const,
  ...more,
});

describe("the form of a federated Deployment", () => {
  it("accepts what is right", () => {
    expect(problems({})).toEqual([]);
    expect(problems({ replicas: "0", cpuRequest: "", memoryLimit: "1e9", ports: [] })).toEqual([]);
  });

  it("says what is missing, each at its field", () => {
    const clusters = FORM.clusters.map((row) => ({ ...row, selected: false }));
    const fields = problems({ name: "", image: "", replicas: "", clusters }).map(([field]) => field);
    expect(new Set(fields)).toEqual(new Set(["name", "image", "replicas", "clusters"]));
  });

  it.each<[Partial<DeploymentForm>, string, string]>([
    [{ name: "Web" }, "name", "form.dnsLabel"],
    [{ namespace: "a.b" }, "namespace", "form.dnsLabel"],
    [{ image: "nginx: latest" }, "image", "form.image"],
    [{ replicas: "1.5" }, "replicas", "form.count"],
    [{ replicas: "-1" }, "replicas", "form.count"],
    [{ cpuRequest: "-1" }, "cpuRequest", "form.quantity"],
    [{ memoryLimit: "256MB" }, "memoryLimit", "form.quantity"],
    [{ ports: [port("0")] }, "ports.0.port", "form.port"],
    [{ ports: [port("65536")] }, "ports.0.port", "form.port"],
    [{ ports: [port("80", { name: "8080" })] }, "ports.0.name", "form.portName"],
  ])("%j is refused", (change, field, message) => {
    expect(problems(change)).toContainEqual([field, message]);
  });

  it("a limit below its request is refused at the limit, whatever the units", () => {
    expect(problems({ cpuRequest: "1", cpuLimit: "900m" })).toEqual([["cpuLimit", "form.limit"]]);
    expect(problems({ memoryRequest: "1Gi", memoryLimit: "1G" })).toEqual([["memoryLimit", "form.limit"]]);
    expect(problems({ cpuRequest: "1000m", cpuLimit: "1" })).toEqual([]);
  });

  it("a port may be there twice only with two protocols", () => {
    expect(problems({ ports: [port("53"), port("53", { protocol: "UDP" })] })).toEqual([]);
    expect(problems({ ports: [port("53"), port("53")] })).toEqual([["ports", "form.portTwice"]]);
  });

  it("a cluster's own values are judged as the common ones", () => {
    const clusters = [{ name: "eu-1", selected: true, replicas: "many", image: "no image!" }];
    expect(problems({ clusters })).toEqual([
      ["clusters.0.replicas", "form.count"],
      ["clusters.0.image", "form.image"],
    ]);
  });
});
