import { type UseFormReturn, useFieldArray } from "react-hook-form";
import { fieldMessage } from "../../form/message";
import { useT } from "../../i18n/i18n";
import type { DeploymentForm } from "../../kube/federated-deployment";
import { Button, IconButton } from "../../ui/button";
import { Field, Select, TextField } from "../../ui/field";
import { Card } from "../../ui/layout";
import styles from "./new.module.css";

function Ports({ form }: { form: UseFormReturn<DeploymentForm> }) {
  const t = useT();
  const { register, control, formState, trigger } = form;
  const { fields, append, remove } = useFieldArray({ control, name: "ports" });
  const problem = fieldMessage(formState.errors.ports?.root ?? formState.errors.ports);
  return (
    <fieldset className={styles.ports}>
      <legend className={styles.legend}>{t("new.ports")}</legend>
      {fields.map((field, index) => (
        <div key={field.id} className={styles.port}>
          <TextField
            {...register(`ports.${index}.port`, {
              // That no port is there twice is a rule of the whole list.
              onChange: () => formState.isSubmitted && void trigger("ports"),
            })}
            label={t("new.port")}
            inputMode="numeric"
            error={fieldMessage(formState.errors.ports?.[index]?.port)}
          />
          <Field label={t("new.protocol")}>
            {(described) => (
              <Select
                {...described}
                {...register(`ports.${index}.protocol`)}
                options={[
                  ["TCP", "TCP"],
                  ["UDP", "UDP"],
                ]}
              />
            )}
          </Field>
          <TextField
            {...register(`ports.${index}.name`)}
            label={t("new.portName")}
            optional={t("field.optional")}
            error={fieldMessage(formState.errors.ports?.[index]?.name)}
          />
          <IconButton icon="trash" label={t("new.removePort", { number: index + 1 })} onClick={() => remove(index)} />
        </div>
      ))}
      {problem && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <div>
        <Button size="small" icon="plus" onClick={() => append({ name: "", port: "", protocol: "TCP" })}>
          {t("new.addPort")}
        </Button>
      </div>
    </fieldset>
  );
}

export function ContainerFields({ form }: { form: UseFormReturn<DeploymentForm> }) {
  const t = useT();
  const { register, formState } = form;
  const { errors } = formState;
  const amount = (
    name: "cpuRequest" | "cpuLimit" | "memoryRequest" | "memoryLimit",
    label: string,
    example: string,
  ) => (
    <TextField
      {...register(name)}
      label={label}
      optional={t("field.optional")}
      placeholder={example}
      error={fieldMessage(errors[name])}
    />
  );
  return (
    <>
      <Card title={t("new.basics")}>
        <div className={styles.grid}>
          <TextField
            {...register("name")}
            label={t("federated.name")}
            error={fieldMessage(errors.name)}
            required
            hint={t("form.dnsLabel.hint")}
          />
          <TextField
            {...register("namespace")}
            label={t("federated.namespace")}
            error={fieldMessage(errors.namespace)}
            required
            hint={t("new.namespace.hint")}
          />
        </div>
      </Card>
      <Card title={t("new.container")}>
        <div className={styles.container}>
          <TextField
            {...register("image")}
            mono
            required
            label={t("new.image")}
            placeholder="registry.example/shop/web:1.0"
            error={fieldMessage(errors.image)}
          />
          <Ports form={form} />
          <fieldset>
            <legend className={styles.legend}>{t("new.resources")}</legend>
            <div className={styles.amounts}>
              {amount("cpuRequest", t("new.cpuRequest"), "100m")}
              {amount("cpuLimit", t("new.cpuLimit"), "500m")}
              {amount("memoryRequest", t("new.memoryRequest"), "64Mi")}
              {amount("memoryLimit", t("new.memoryLimit"), "256Mi")}
            </div>
          </fieldset>
        </div>
      </Card>
    </>
  );
}
