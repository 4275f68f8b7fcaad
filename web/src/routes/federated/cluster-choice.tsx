import { type UseFormReturn, useWatch } from "react-hook-form";
import type { Cluster } from "../../api/types";
import { fieldMessage } from "../../form/message";
import { useT } from "../../i18n/i18n";
import type { DeploymentForm } from "../../kube/federated-deployment";
import { ClusterStateMark } from "../../shell/cluster-state";
import { Button } from "../../ui/button";
import { Checkbox, TextField } from "../../ui/field";
import { Card } from "../../ui/layout";
import styles from "./new.module.css";

interface ClusterChoiceProps {
  form: UseFormReturn<DeploymentForm>;
  fleet: readonly Cluster[];
}

/** Where it runs, with how many replicas, and what differs there. */
export function ClusterChoice({ form, fleet }: ClusterChoiceProps) {
  const t = useT();
  const { register, control, formState, setValue, getValues, trigger } = form;
  const rows = useWatch({ control, name: "clusters" });
  const image = useWatch({ control, name: "image" });
  const replicas = useWatch({ control, name: "replicas" });
  const problem = fieldMessage(formState.errors.clusters?.root ?? formState.errors.clusters);

  const selectReady = () => {
    const ready = new Set(fleet.filter((cluster) => cluster.state === "Ready").map((cluster) => cluster.name));
    const all = getValues("clusters").map((row) => ({ ...row, selected: row.selected || ready.has(row.name) }));
    setValue("clusters", all, { shouldValidate: formState.isSubmitted, shouldDirty: true });
  };

  return (
    <Card
      title={t("new.placement")}
      actions={
        <Button size="small" onClick={selectReady}>
          {t("new.allReady")}
        </Button>
      }
    >
      <div className={styles.placement}>
        <div className={styles.default}>
          <TextField
            {...register("replicas")}
            label={t("new.replicas")}
            hint={t("new.replicas.hint")}
            error={fieldMessage(formState.errors.replicas)}
            inputMode="numeric"
          />
        </div>
        <fieldset aria-describedby={problem ? "clusters-problem" : undefined}>
          <legend className={styles.legend}>{t("new.clusters")}</legend>
          {problem && (
            <p className={styles.problem} id="clusters-problem" role="alert">
              {problem}
            </p>
          )}
          <ul className={styles.clusters}>
            {rows.map((row, index) => {
              const cluster = fleet.find((each) => each.name === row.name);
              const errors = formState.errors.clusters?.[index];
              return (
                <li key={row.name} data-selected={row.selected || undefined}>
                  <div className={styles.clusterHead}>
                    <Checkbox
                      {...register(`clusters.${index}.selected`, {
                        // Whether any is chosen is a rule of the whole list.
                        onChange: () => formState.isSubmitted && void trigger("clusters"),
                      })}
                      label={<strong>{row.name}</strong>}
                      hint={[cluster?.alias, cluster?.provider, cluster?.region].filter(Boolean).join(" · ")}
                    />
                    {cluster && <ClusterStateMark state={cluster.state} />}
                  </div>
                  {row.selected && (
                    <div className={styles.clusterFields}>
                      <TextField
                        {...register(`clusters.${index}.replicas`)}
                        label={t("new.clusterReplicas", { name: row.name })}
                        placeholder={replicas}
                        error={fieldMessage(errors?.replicas)}
                        inputMode="numeric"
                      />
                      <TextField
                        {...register(`clusters.${index}.image`)}
                        mono
                        label={t("new.clusterImage", { name: row.name })}
                        placeholder={image || t("new.sameImage")}
                        error={fieldMessage(errors?.image)}
                      />
                    </div>
                  )}
                </li>
              );
            })}
          </ul>
        </fieldset>
      </div>
    </Card>
  );
}
