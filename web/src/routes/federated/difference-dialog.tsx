import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { changeFederated, DEPLOYMENTS } from "../../api/queries/federated";
import type { KubernetesObject } from "../../api/types";
import { useT } from "../../i18n/i18n";
import { overrideOf, readDeployment } from "../../kube/federated-deployment";
import { SaveDialog } from "../../shell/save-dialog";
import { TextField } from "../../ui/field";
import { showToast } from "../../ui/toast";
import styles from "./detail.module.css";

interface DifferenceDialogProps {
  object: KubernetesObject;
  title: string;
  description: string;
  label: string;
  /** The override that holds a cluster's own value. */
  path: string;
  everywhere: string;
  mono?: boolean;
  numeric?: boolean;
  wrong: string;
  accepts(text: string): boolean;
  change(object: KubernetesObject, everywhere: string, perCluster: ReadonlyMap<string, string>): KubernetesObject;
  onClose(): void;
}

/** Edits one value: what all clusters have, and what some have instead. */
export function DifferenceDialog(props: DifferenceDialogProps) {
  const { title, description, label, path, mono = false, numeric = false, wrong, accepts, change, onClose } = props;
  const t = useT();
  const queries = useQueryClient();
  // What was decided on: the page behind goes on following the object.
  const [object] = useState(props.object);
  const parts = readDeployment(object);
  // Clusters chosen by label are not named in the placement; those with overrides still are here.
  const clusters = [...new Set([...parts.clusters, ...parts.overrides.map((entry) => entry.clusterName)])];
  const [everywhere, setEverywhere] = useState(props.everywhere);
  const [own, setOwn] = useState<ReadonlyMap<string, string>>(
    () => new Map(clusters.map((cluster) => [cluster, overrideOf(parts, cluster, path)])),
  );
  const save = useMutation({
    mutationFn: () => {
      const { namespace = "", name } = object.metadata;
      const place = { resource: DEPLOYMENTS, namespace, name };
      return changeFederated(place, object, (newest) => change(newest, everywhere.trim(), own));
    },
    onSuccess: async () => {
      showToast({ tone: "ok", text: t("federated.saved", { name: object.metadata.name }) });
      onClose();
      await queries.invalidateQueries({ queryKey: ["federated"] });
    },
  });
  const bad = !accepts(everywhere.trim()) || [...own.values()].some((value) => value.trim() && !accepts(value.trim()));
  const input = { mono, ...(numeric && { inputMode: "numeric" as const }) };
  return (
    <SaveDialog title={title} description={description} save={save} reason={bad ? wrong : undefined} onClose={onClose}>
      <TextField
        {...input}
        label={label}
        value={everywhere}
        error={accepts(everywhere.trim()) ? undefined : wrong}
        onChange={(event) => setEverywhere(event.target.value)}
      />
      {clusters.length > 0 && (
        <div className={styles.rows}>
          <h3>{t("difference.own")}</h3>
          {clusters.map((cluster) => {
            const value = own.get(cluster) ?? "";
            return (
              <div key={cluster} className={styles.row}>
                <span aria-hidden="true">{cluster}</span>
                <TextField
                  {...input}
                  label={t("difference.label", { label, name: cluster })}
                  placeholder={everywhere}
                  value={value}
                  error={!value.trim() || accepts(value.trim()) ? undefined : wrong}
                  onChange={(event) => setOwn(new Map(own).set(cluster, event.target.value))}
                />
              </div>
            );
          })}
        </div>
      )}
    </SaveDialog>
  );
}
