import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { editCluster } from "../../api/queries/clusters";
import type { Cluster } from "../../api/types";
import { LabelsInput } from "../../form/labels-input";
import { useT } from "../../i18n/i18n";
import { type Labels, labelsPatch } from "../../kube/labels";
import { StatusNote } from "../../shell/status-note";
import { Tag } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Card, Muted, Row } from "../../ui/layout";

function LabelsDialog({ cluster, onClose }: { cluster: Cluster; onClose(): void }) {
  const t = useT();
  const before = cluster.labels ?? {};
  const [labels, setLabels] = useState<Labels>(before);
  const save = useMutation({
    mutationFn: () => editCluster(cluster.name, { labels: labelsPatch(before, labels) }),
    onSuccess: onClose,
  });
  return (
    <Dialog
      title={t("labels.title", { name: cluster.name })}
      description={t("labels.text")}
      closeLabel={t("action.close")}
      onClose={onClose}
      onSubmit={() => save.mutate()}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={save.isPending}>
            {t("action.save")}
          </Button>
        </>
      }
    >
      {save.error && <StatusNote error={save.error} />}
      <LabelsInput labels={labels} onChange={setLabels} />
    </Dialog>
  );
}

export function LabelsCard({ cluster }: { cluster: Cluster }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const entries = Object.entries(cluster.labels ?? {});
  return (
    <Card
      title={t("labels.label")}
      actions={
        <Button size="small" icon="edit" onClick={() => setOpen(true)}>
          {t("labels.edit")}
        </Button>
      }
    >
      {entries.length === 0 ? (
        <Muted>{t("labels.none")}</Muted>
      ) : (
        <Row>
          {entries.map(([key, value]) => (
            <Tag key={key}>{value ? `${key}=${value}` : key}</Tag>
          ))}
        </Row>
      )}
      {open && <LabelsDialog cluster={cluster} onClose={() => setOpen(false)} />}
    </Card>
  );
}
