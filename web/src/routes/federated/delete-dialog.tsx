import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { deleteFederated } from "../../api/queries/federated";
import type { Federated } from "../../api/types";
import { formatList } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import { StatusNote } from "../../shell/status-note";
import { Note } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { showToast } from "../../ui/toast";

interface DeleteDialogProps {
  summary: Federated;
  kind: string;
  onClose(): void;
  onDeleted(): void;
}

export function DeleteDialog({ summary, kind, onClose, onDeleted }: DeleteDialogProps) {
  const t = useT();
  const { namespace, name } = summary;
  const [typed, setTyped] = useState("");
  const remove = useMutation({
    mutationFn: () => deleteFederated(summary),
    onSuccess: () => {
      showToast({ tone: "ok", text: t("delete.done", { name }) });
      onClose();
      onDeleted();
    },
  });
  const away = summary.clusters
    .filter((cluster) => cluster.status === "ClusterNotReady")
    .map((cluster) => cluster.name);
  return (
    <Dialog
      title={t("delete.title", { name: namespace ? `${namespace}/${name}` : name })}
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
            reason={typed === name ? undefined : t("confirm.reason", { name })}
          >
            {t("delete.submit")}
          </Button>
        </>
      }
    >
      {remove.error && <StatusNote error={remove.error} />}
      <p>
        {summary.clusters.length > 0
          ? summary.readyReplicas == null
            ? t("delete.impact.plain", { kind, clusters: formatList(summary.clusters.map((cluster) => cluster.name)) })
            : t("delete.impact", {
                replicas: summary.readyReplicas,
                kind,
                clusters: formatList(summary.clusters.map((cluster) => cluster.name)),
              })
          : t("delete.impact.none")}
      </p>
      {away.length > 0 && <Note tone="info">{t("delete.away", { clusters: formatList(away) })}</Note>}
      <TextField
        mono
        label={t("confirm.label", { name })}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </Dialog>
  );
}
