// Between the form and a FederatedDeployment. An override is written only where a cluster really differs.
import type { Condition, KubernetesObject } from "../api/types";

export const REPLICAS_PATH = "/spec/replicas";
export const IMAGE_PATH = "/spec/template/spec/containers/0/image";

export interface PortRow {
  name: string;
  port: string;
  protocol: "TCP" | "UDP";
}

/** One cluster's line of the form. Empty text means "as everywhere". */
export interface ClusterRow {
  name: string;
  selected: boolean;
  replicas: string;
  image: string;
}

export interface DeploymentForm {
  name: string;
  namespace: string;
  image: string;
  ports: PortRow[];
  cpuRequest: string;
  cpuLimit: string;
  memoryRequest: string;
  memoryLimit: string;
  replicas: string;
  clusters: ClusterRow[];
}

interface Patch {
  op?: string;
  path: string;
  value?: unknown;
}

interface ClusterOverride {
  clusterName: string;
  clusterOverrides: Patch[];
}

export interface Resources {
  cpu?: string;
  memory?: string;
}

/** The parts of a FederatedDeployment that the console reads; everything else in it is kept as it is. */
export interface DeploymentParts {
  replicas: number;
  image: string;
  clusters: string[];
  overrides: ClusterOverride[];
}

function amounts(cpu: string, memory: string): Resources | undefined {
  const found: Resources = {};
  if (cpu.trim()) found.cpu = cpu.trim();
  if (memory.trim()) found.memory = memory.trim();
  return Object.keys(found).length ? found : undefined;
}

export function buildDeployment(form: DeploymentForm): KubernetesObject {
  const name = form.name.trim();
  const labels = { app: name };
  const requests = amounts(form.cpuRequest, form.memoryRequest);
  const limits = amounts(form.cpuLimit, form.memoryLimit);
  const ports = form.ports.filter((row) => row.port.trim());
  const container = {
    name,
    image: form.image.trim(),
    ...(ports.length && {
      ports: ports.map((row) => ({
        ...(row.name.trim() && { name: row.name.trim() }),
        containerPort: Number(row.port),
        protocol: row.protocol,
      })),
    }),
    ...((requests || limits) && { resources: { ...(requests && { requests }), ...(limits && { limits }) } }),
  };
  const selected = form.clusters.filter((row) => row.selected);
  const overrides = selected.flatMap((row): ClusterOverride[] => {
    const patches: Patch[] = [];
    const replicas = row.replicas.trim();
    const image = row.image.trim();
    if (replicas && Number(replicas) !== Number(form.replicas))
      patches.push({ path: REPLICAS_PATH, value: Number(replicas) });
    if (image && image !== container.image) patches.push({ path: IMAGE_PATH, value: image });
    return patches.length ? [{ clusterName: row.name, clusterOverrides: patches }] : [];
  });
  return {
    apiVersion: "types.kubefed.io/v1beta1",
    kind: "FederatedDeployment",
    metadata: { name, namespace: form.namespace.trim() },
    spec: {
      template: {
        metadata: { labels },
        spec: {
          replicas: Number(form.replicas),
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [container] } },
        },
      },
      placement: { clusters: selected.map((row) => ({ name: row.name })) },
      ...(overrides.length && { overrides }),
    },
  };
}

type Tree = Record<string, unknown>;

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function at(value: unknown, ...path: (string | number)[]): unknown {
  let here = value;
  for (const step of path) {
    if (Array.isArray(here) && typeof step === "number") here = here[step];
    else if (isTree(here)) here = here[step];
    else return undefined;
  }
  return here;
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function readDeployment(object: KubernetesObject): DeploymentParts {
  const spec = object.spec;
  return {
    replicas: Number(at(spec, "template", "spec", "replicas") ?? 1),
    image: text(at(spec, "template", "spec", "template", "spec", "containers", 0, "image")),
    clusters: list(at(spec, "placement", "clusters")).map((entry) => text(at(entry, "name"))),
    overrides: list(at(spec, "overrides")).map((entry) => ({
      clusterName: text(at(entry, "clusterName")),
      clusterOverrides: list(at(entry, "clusterOverrides")).flatMap((patch) => (isPatch(patch) ? [patch] : [])),
    })),
  };
}

function isPatch(value: unknown): value is Patch & Tree {
  return isTree(value) && typeof value.path === "string";
}

/** What one cluster overrides at a path, as text; empty when it is as everywhere. */
export function overrideOf(parts: DeploymentParts, cluster: string, path: string): string {
  const patches = parts.overrides.find((entry) => entry.clusterName === cluster)?.clusterOverrides ?? [];
  return text(patches.find((patch) => patch.path === path && (patch.op ?? "replace") !== "remove")?.value);
}

export function readConditions(object: KubernetesObject): Condition[] {
  return list(at(object.status, "conditions")).map((condition) => ({
    type: text(at(condition, "type")),
    status: text(at(condition, "status")),
    reason: text(at(condition, "reason")),
    message: text(at(condition, "message")),
    lastTransitionTime: text(at(condition, "lastTransitionTime")),
  }));
}

/** The object without the bookkeeping of who wrote which field. */
export function withoutNoise(object: KubernetesObject): KubernetesObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** The form that would build this object, over the clusters of the fleet. */
export function formOf(object: KubernetesObject, fleet: readonly string[]): DeploymentForm {
  const parts = readDeployment(object);
  const container = at(object.spec, "template", "spec", "template", "spec", "containers", 0);
  return {
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? "",
    image: parts.image,
    ports: list(at(container, "ports")).map((port) => ({
      name: text(at(port, "name")),
      port: text(at(port, "containerPort")),
      protocol: at(port, "protocol") === "UDP" ? "UDP" : "TCP",
    })),
    cpuRequest: text(at(container, "resources", "requests", "cpu")),
    cpuLimit: text(at(container, "resources", "limits", "cpu")),
    memoryRequest: text(at(container, "resources", "requests", "memory")),
    memoryLimit: text(at(container, "resources", "limits", "memory")),
    replicas: String(parts.replicas),
    clusters: fleet.map((name) => ({
      name,
      selected: parts.clusters.includes(name),
      replicas: overrideOf(parts, name, REPLICAS_PATH),
      image: overrideOf(parts, name, IMAGE_PATH),
    })),
  };
}

/** The same object with another value everywhere and, where given, per cluster. All else is kept. */
function withValue(
  object: KubernetesObject,
  path: string,
  set: (template: Tree) => void,
  everywhere: unknown,
  perCluster: ReadonlyMap<string, unknown>,
): KubernetesObject {
  const copy = structuredClone(object);
  const spec = isTree(copy.spec) ? copy.spec : {};
  copy.spec = spec;
  const template = at(spec, "template", "spec");
  if (isTree(template)) set(template);

  const overrides = list(spec.overrides).filter(isTree);
  for (const [cluster, value] of perCluster) {
    let entry = overrides.find((candidate) => candidate.clusterName === cluster);
    const others = list(at(entry, "clusterOverrides")).filter((patch) => at(patch, "path") !== path);
    const differs = value !== undefined && value !== everywhere;
    if (!entry) {
      if (!differs) continue;
      entry = { clusterName: cluster };
      overrides.push(entry);
    }
    entry.clusterOverrides = differs ? [...others, { path, value }] : others;
  }
  const kept = overrides.filter((entry) => list(entry.clusterOverrides).length > 0);
  if (kept.length) spec.overrides = kept;
  else delete spec.overrides;
  return copy;
}

/** The same object on exactly these clusters. */
export function withClusters(object: KubernetesObject, clusters: readonly string[]): KubernetesObject {
  const copy = structuredClone(object);
  const spec = isTree(copy.spec) ? copy.spec : {};
  spec.placement = { clusters: clusters.map((name) => ({ name })) };
  return { ...copy, spec };
}

/** The label selector of the placement, when it is the selector that chooses. */
export function selectsByLabel(object: KubernetesObject): boolean {
  const placement = at(object.spec, "placement");
  return isTree(placement) && !Array.isArray(placement.clusters) && isTree(placement.clusterSelector);
}

export function withReplicas(
  object: KubernetesObject,
  replicas: number,
  perCluster: ReadonlyMap<string, number | undefined>,
): KubernetesObject {
  const set = (template: Tree) => {
    template.replicas = replicas;
  };
  return withValue(object, REPLICAS_PATH, set, replicas, perCluster);
}

export function withImage(
  object: KubernetesObject,
  image: string,
  perCluster: ReadonlyMap<string, string | undefined>,
): KubernetesObject {
  const set = (template: Tree) => {
    const container = at(template, "template", "spec", "containers", 0);
    if (isTree(container)) container.image = image;
  };
  return withValue(object, IMAGE_PATH, set, image, perCluster);
}

const CONTAINER = "spec.template.spec.template.spec.containers";

/** The form field that a path named by the server belongs to, if the form shows it. */
export function formField(path: string, form: DeploymentForm): string | undefined {
  const field = path.replace(/^object\./, "").replace(/\[(\w+)\]/g, ".$1");
  if (field === "metadata.name") return "name";
  if (field === "metadata.namespace" || field === "namespace") return "namespace";
  if (field === "spec.template.spec.replicas") return "replicas";
  if (field === `${CONTAINER}.0.image`) return "image";
  const port = new RegExp(`^${CONTAINER}\\.0\\.ports\\.(\\d+)(\\.(\\w+))?`).exec(field);
  if (port) return `ports.${port[1]}.${port[3] === "name" ? "name" : "port"}`;
  const amount = new RegExp(`^${CONTAINER}\\.0\\.resources\\.(requests|limits)(\\.(cpu|memory))?`).exec(field);
  if (amount) return `${amount[3] ?? "cpu"}${amount[1] === "limits" ? "Limit" : "Request"}`;
  const override = /^spec\.overrides\.(\d+)(?:\.clusterOverrides\.(\d+))?/.exec(field);
  if (override) {
    const entry = readDeployment(buildDeployment(form)).overrides[Number(override[1])];
    const row = form.clusters.findIndex((cluster) => cluster.name === entry?.clusterName);
    const patch = entry?.clusterOverrides[Number(override[2] ?? 0)];
    return row < 0 ? "clusters" : `clusters.${row}.${patch?.path === IMAGE_PATH ? "image" : "replicas"}`;
  }
  return field.startsWith("spec.placement") ? "clusters" : undefined;
}
