import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { editCluster } from "../../api/queries/clusters";
import type { Cluster } from "../../api/types";
import { LabelsInput } from "../../form/labels-input";
import { useT } from "../../i18n/i18n";
import { type Labels, labelsPatch } from "../../kube/labels";
import { SaveDialog } from "../../shell/save-dialog";
import { Tag } from "../../ui/badge";
import { Button } from "../../ui/button";
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
    <SaveDialog
      title={t("labels.title", { name: cluster.name })}
      description={t("labels.text")}
      save={save}
      onClose={onClose}
    >
      <LabelsInput labels={labels} onChange={setLabels} />
    </SaveDialog>
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
