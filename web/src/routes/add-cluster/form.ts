// What a person decides about a cluster before it joins, and how that becomes a request.
import * as z from "zod/mini";
import type { CheckResult, NewCluster, ObjectRef, Status } from "../../api/types";
import "../../form/jitless";
import { isDnsLabel, suggestName } from "../../kube/names";

export const confirmSchema = z.object({
  name: z.string().check(z.minLength(1, "form.required"), z.refine(isDnsLabel, "form.dnsLabel")),
  role: z.enum(["host", "member"]),
  alias: z.string().check(z.maxLength(63, "form.long63")),
  description: z.string().check(z.maxLength(256, "form.long256")),
  provider: z.string().check(z.maxLength(63, "form.long63")),
  region: z.string().check(z.maxLength(63, "form.long63")),
  labels: z.record(z.string(), z.string()),
  admitAdmins: z.boolean(),
});

export type ConfirmForm = z.infer<typeof confirmSchema>;
export type Found = CheckResult & { ok: true };

export const EMPTY: ConfirmForm = {
  name: "",
  role: "member",
  alias: "",
  description: "",
  provider: "",
  region: "",
  labels: {},
  admitAdmins: true,
};

type Guessed = Pick<ConfirmForm, "name" | "provider" | "region">;

/** What a check suggests. */
export function guess(found: Found): Guessed {
  return { name: suggestName(found.context), provider: found.provider ?? "", region: found.region ?? "" };
}

/** The form for what was found now: what a person wrote stays, what an earlier check had suggested goes. */
export function prefill(form: ConfirmForm, earlier: Guessed | undefined, now: Guessed): ConfirmForm {
  const own = (key: keyof Guessed) => (form[key] && form[key] !== earlier?.[key] ? form[key] : now[key]);
  return { ...form, name: own("name"), provider: own("provider"), region: own("region") };
}

export function newCluster(form: ConfirmForm, kubeconfig: string, context: string | undefined): NewCluster {
  const text = (value: string) => value.trim() || undefined;
  const optional = {
    alias: text(form.alias),
    description: text(form.description),
    provider: text(form.provider),
    region: text(form.region),
    context,
  };
  return {
    name: form.name,
    role: form.role,
    labels: form.labels,
    admitAdmins: form.admitAdmins,
    kubeconfig,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

/** The binding that admits the hub's administrators; everything else in the list is written either way. */
export function writtenFor(objects: readonly ObjectRef[], admitAdmins: boolean): readonly ObjectRef[] {
  return admitAdmins ? objects : objects.filter((object) => object.name !== "atoll:admins");
}

const FIELDS = ["name", "role", "alias", "description", "provider", "region", "labels"] as const;

export interface FieldProblem {
  field: keyof ConfirmForm;
  message: string;
}

/** The field of the form that a refusal is about, if it is about one. */
export function fieldProblem(status: Status): FieldProblem | undefined {
  for (const cause of status.details?.causes ?? []) {
    const field = FIELDS.find((each) => each === cause.field?.split(/[.[]/)[0]);
    if (field) return { field, message: cause.message ?? status.message ?? "" };
  }
  if (status.reason === "AlreadyExists" && !status.details?.stage)
    return { field: "name", message: status.message ?? "" };
  return undefined;
}
