import * as z from "zod/mini";
import "../../form/jitless";
import { isDnsLabel, isImage } from "../../kube/names";
import { isAmount, parseQuantity } from "../../kube/quantity";

const isCount = (text: string) => /^\d{1,6}$/.test(text.trim());
const optional = (accepts: (text: string) => boolean) => (text: string) => !text.trim() || accepts(text.trim());

const label = z.string().check(z.minLength(1, "form.required"), z.refine(isDnsLabel, "form.dnsLabel"));
const amount = z.string().check(z.refine(optional(isAmount), "form.quantity"));

const port = z.object({
  name: z.string().check(
    z.refine(
      optional((text) => /^(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/.test(text)),
      "form.portName",
    ),
  ),
  port: z
    .string()
    .check(z.refine((text) => /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65535, "form.port")),
  protocol: z.enum(["TCP", "UDP"]),
});

const cluster = z.object({
  name: z.string(),
  selected: z.boolean(),
  replicas: z.string().check(z.refine(optional(isCount), "form.count")),
  image: z.string().check(z.refine(optional(isImage), "form.image")),
});

function within(request: string, limit: string): boolean {
  const [low, high] = [parseQuantity(request), parseQuantity(limit)];
  return low === undefined || high === undefined || low <= high;
}

export const deploymentSchema = z
  .object({
    name: label,
    namespace: label,
    image: z.string().check(z.minLength(1, "form.required"), z.refine(optional(isImage), "form.image")),
    ports: z.array(port),
    cpuRequest: amount,
    cpuLimit: amount,
    memoryRequest: amount,
    memoryLimit: amount,
    replicas: z.string().check(z.refine(isCount, "form.count")),
    clusters: z.array(cluster).check(z.refine((rows) => rows.some((row) => row.selected), "form.oneCluster")),
  })
  .check(
    z.refine((form) => within(form.cpuRequest, form.cpuLimit), { error: "form.limit", path: ["cpuLimit"] }),
    z.refine((form) => within(form.memoryRequest, form.memoryLimit), { error: "form.limit", path: ["memoryLimit"] }),
    z.refine((form) => new Set(form.ports.map((row) => `${row.port}/${row.protocol}`)).size === form.ports.length, {
      error: "form.portTwice",
      path: ["ports"],
    }),
  );
