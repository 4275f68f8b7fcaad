import { zodResolver } from "@hookform/resolvers/zod";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import type { ClusterRole, ObjectRef } from "../../api/types";
import { LabelsInput } from "../../form/labels-input";
import { fieldMessage } from "../../form/message";
import { useT } from "../../i18n/i18n";
import { When } from "../../shell/when";
import { Note } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Checkbox, Field, Select, TextField } from "../../ui/field";
import { Card, Facts, Stack } from "../../ui/layout";
import { type ConfirmForm, confirmSchema, type FieldProblem, type Found, writtenFor } from "./form";
import styles from "./page.module.css";

interface ConfirmStepProps {
  found: Found;
  values: ConfirmForm;
  taken: readonly string[];
  host: string | undefined;
  problem: FieldProblem | undefined;
  onBack(values: ConfirmForm): void;
  onSubmit(values: ConfirmForm): void;
}

function WillCreate({ objects }: { objects: readonly ObjectRef[] }) {
  const t = useT();
  if (objects.length === 0) return <Note tone="ok">{t("confirm.creates.nothing")}</Note>;
  return (
    <Note tone="info">
      <strong>{t("confirm.creates", { count: objects.length })}</strong>
      <ul className={styles.objects}>
        {objects.map((object) => (
          <li key={`${object.kind} ${object.name}`}>
            <code>
              {object.kind} {object.name}
            </code>
            {object.name === "atoll:admins" && <span> — {t("confirm.creates.admins")}</span>}
          </li>
        ))}
      </ul>
    </Note>
  );
}

export function ConfirmStep({ found, values, taken, host, problem, onBack, onSubmit }: ConfirmStepProps) {
  const t = useT();
  // Made once: the form forgets its own errors whenever it is given another object.
  const [refused] = useState(() => problem && { [problem.field]: { type: "server", message: problem.message } });
  const form = useForm<ConfirmForm>({
    resolver: zodResolver(confirmSchema),
    defaultValues: values,
    ...(refused && { errors: refused }),
  });
  const { register, control, watch, formState, handleSubmit, getValues, setError } = form;
  const { errors } = formState;
  const role: ClusterRole = watch("role");

  const submit = handleSubmit((checked) => {
    if (taken.includes(checked.name)) setError("name", { message: "form.taken" }, { shouldFocus: true });
    else onSubmit(checked);
  });

  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Stack>
        <Card title={t("confirm.found")}>
          <Facts
            items={[
              [t("cluster.endpoint"), <code key="server">{found.server}</code>],
              [t("cluster.version"), found.kubernetesVersion ?? "–"],
              [t("cluster.nodes"), found.nodeCount ?? "–"],
              ...(found.credentialExpiresAt
                ? [[t("cluster.credentialExpires"), <When key="expiry" value={found.credentialExpiresAt} />] as const]
                : []),
            ]}
          />
        </Card>
        <Card title={t("confirm.details")}>
          <div className={styles.grid}>
            <TextField
              {...register("name")}
              label={t("cluster.name")}
              hint={t("form.dnsLabel.hint")}
              error={fieldMessage(errors.name)}
              maxLength={63}
              required
            />
            <Field
              label={t("cluster.role")}
              hint={role === "host" && host ? t("confirm.hostTaken", { name: host }) : t("cluster.role.hint")}
            >
              {(described) => (
                <Select
                  {...described}
                  {...register("role")}
                  options={[
                    ["member", t("cluster.role.member")],
                    ["host", t("cluster.role.host")],
                  ]}
                />
              )}
            </Field>
            <TextField
              {...register("alias")}
              label={t("cluster.alias")}
              optional={t("field.optional")}
              error={fieldMessage(errors.alias)}
            />
            <TextField
              {...register("description")}
              label={t("cluster.description")}
              optional={t("field.optional")}
              error={fieldMessage(errors.description)}
            />
            <TextField
              {...register("provider")}
              label={t("cluster.provider")}
              optional={t("field.optional")}
              error={fieldMessage(errors.provider)}
            />
            <TextField
              {...register("region")}
              label={t("cluster.region")}
              optional={t("field.optional")}
              error={fieldMessage(errors.region)}
            />
            <div className={styles.whole}>
              <Controller
                control={control}
                name="labels"
                render={({ field }) => <LabelsInput labels={field.value} onChange={field.onChange} />}
              />
            </div>
          </div>
        </Card>
        <Card title={t("confirm.member")}>
          <Stack>
            <Checkbox {...register("admitAdmins")} label={t("confirm.admit")} hint={t("confirm.admit.hint")} />
            <WillCreate objects={writtenFor(found.willCreate, watch("admitAdmins"))} />
          </Stack>
        </Card>
        <div className={styles.buttons}>
          <Button onClick={() => onBack(getValues())}>{t("wizard.back")}</Button>
          <Button kind="primary" type="submit">
            {t("wizard.join")}
          </Button>
        </div>
      </Stack>
    </form>
  );
}
