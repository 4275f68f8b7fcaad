import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { removeCluster } from "../../api/queries/clusters";
import { deploymentList, pathOf } from "../../api/queries/federated";
import type { Cluster } from "../../api/types";
import { useT } from "../../i18n/i18n";
import { useRows } from "../../live/use-rows";
import { StatusNote } from "../../shell/status-note";
import { Note } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Radio, TextField } from "../../ui/field";
import { Stack } from "../../ui/layout";
import { showToast } from "../../ui/toast";
import styles from "./remove-dialog.module.css";

interface RemoveDialogProps {
  cluster: Cluster;
  onClose(): void;
  onRemoved?: (() => void) | undefined;
}

/** Says what removing means for this cluster before anything happens. */
export function RemoveDialog({ cluster, onClose, onRemoved }: RemoveDialogProps) {
  const t = useT();
  const { name } = cluster;
  const deployments = useRows(deploymentList);
  const placed = deployments.rows.filter((object) => object.clusters.some((entry) => entry.name === name));
  const [managed, setManaged] = useState<"orphan" | "delete">("orphan");
  const [typed, setTyped] = useState("");
  const remove = useMutation({
    mutationFn: () => removeCluster(name, managed),
    onSuccess: (removed) => {
      const left = removed.left?.length ?? 0;
      showToast({
        tone: "ok",
        text: t("cluster.removed", { name }),
        detail: left > 0 ? t("cluster.removed.left", { count: left }) : undefined,
      });
      onClose();
      onRemoved?.();
    },
  });
  const unconfirmed = managed === "delete" && typed !== name;
  return (
    <Dialog
      title={t("cluster.remove.title", { name })}
      closeLabel={t("action.close")}
      onClose={onClose}
      onSubmit={() => remove.mutate()}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            kind="danger"
            type="submit"
            busy={remove.isPending}
            reason={unconfirmed ? t("confirm.reason", { name }) : undefined}
          >
            {t("cluster.remove.submit")}
          </Button>
        </>
      }
    >
      {remove.error && <StatusNote error={remove.error} />}
      {cluster.state === "Offline" && <Note tone="info">{t("cluster.remove.offline")}</Note>}
      <ul className={styles.impact}>
        <li>{t("cluster.remove.access")}</li>
        <li>
          {placed.length === 0 ? t("cluster.remove.noObjects") : t("cluster.remove.objects", { count: placed.length })}
          {placed.length > 0 && (
            <ul>
              {placed.slice(0, 8).map((object) => (
                <li key={object.uid}>
                  <Link to="/federated/$resource/$namespace/$name" params={pathOf(object)}>
                    {object.namespace}/{object.name}
                  </Link>
                </li>
              ))}
              {placed.length > 8 && <li>{t("list.more", { count: placed.length - 8 })}</li>}
            </ul>
          )}
        </li>
      </ul>
      <fieldset>
        <legend className={styles.legend}>{t("cluster.remove.managed")}</legend>
        <Stack>
          <Radio
            name="managed"
            checked={managed === "orphan"}
            onChange={() => setManaged("orphan")}
            label={t("cluster.remove.orphan")}
            hint={t("cluster.remove.orphan.hint")}
          />
          <Radio
            name="managed"
            checked={managed === "delete"}
            onChange={() => setManaged("delete")}
            label={t("cluster.remove.delete")}
            hint={t("cluster.remove.delete.hint")}
          />
        </Stack>
      </fieldset>
      {managed === "delete" && (
        <TextField
          mono
          label={t("confirm.label", { name })}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      )}
    </Dialog>
  );
}
