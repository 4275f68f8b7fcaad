// Names of kinds as people say them, and what a new object of a kind begins with.
import type { FederatedType } from "../api/types";

/** Several of a kind, in Kubernetes' English: Deployments, Ingresses, NetworkPolicies. */
export function pluralOf(kind: string): string {
  if (kind === "Endpoints") return kind;
  if (/[^aeiou]y$/.test(kind)) return `${kind.slice(0, -1)}ies`;
  return /(s|x|ch)$/.test(kind) ? `${kind}es` : `${kind}s`;
}

/** `deployments.apps` as long as the type itself is not known. */
export function kindOf(type: FederatedType | undefined, resource: string): string {
  return type?.target.kind ?? resource;
}

const PODS = [
  "    metadata:",
  "      labels: {app: example}",
  "    spec:",
  "      selector:",
  "        matchLabels: {app: example}",
  "      template:",
  "        metadata:",
  "          labels: {app: example}",
  "        spec:",
  "          containers:",
  "            - name: example",
  "              image: registry.example/example:1.0",
];

const RULES = [
  "    rules:",
  '      - apiGroups: [""]',
  "        resources: [pods]",
  "        verbs: [get, list, watch]",
];

/** `spec.template` of a new object. Kinds that are not named begin with an empty spec. */
const TEMPLATES: Record<string, readonly string[]> = {
  ConfigMap: ["    data:", "      key: value"],
  Secret: ["    type: Opaque", "    stringData:", "      password: change-me"],
  ServiceAccount: ["    automountServiceAccountToken: false"],
  Namespace: ["    metadata:", "      labels: {}"],
  Deployment: PODS,
  ReplicaSet: PODS,
  StatefulSet: PODS,
  DaemonSet: PODS,
  Role: RULES,
  ClusterRole: RULES,
  Service: [
    "    spec:",
    "      selector: {app: example}",
    "      ports:",
    "        - port: 80",
    "          targetPort: 8080",
  ],
  Job: [
    "    spec:",
    "      template:",
    "        spec:",
    "          restartPolicy: Never",
    "          containers:",
    "            - name: example",
    "              image: registry.example/example:1.0",
  ],
};

/** The YAML that a new object begins with. No cluster is chosen for anybody; those that could be stand beside. */
export function starterYaml(type: FederatedType, clusters: readonly string[]): string {
  const isNamespace = type.target.kind === "Namespace" && type.target.group === "";
  return [
    `apiVersion: ${type.group}/${type.version}`,
    `kind: ${type.kind}`,
    "metadata:",
    "  name: example",
    ...(type.namespaced ? [`  namespace: ${isNamespace ? "example" : "default"}`] : []),
    "spec:",
    "  template:",
    ...(TEMPLATES[type.target.kind] ?? ["    spec: {}"]),
    "  placement:",
    `    clusters: []${clusters.length ? ` # such as {name: ${clusters.join("}, {name: ")}}` : ""}`,
    "  overrides: []",
    "",
  ].join("\n");
}
