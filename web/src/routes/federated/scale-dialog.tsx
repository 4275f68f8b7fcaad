import type { KubernetesObject } from "../../api/types";
import { useT } from "../../i18n/i18n";
import { REPLICAS_PATH, readDeployment, withReplicas } from "../../kube/federated-deployment";
import { DifferenceDialog } from "./difference-dialog";

export function ScaleDialog({ object, onClose }: { object: KubernetesObject; onClose(): void }) {
  const t = useT();
  return (
    <DifferenceDialog
      object={object}
      title={t("scale.title", { name: object.metadata.name })}
      description={t("scale.text")}
      label={t("new.replicas")}
      path={REPLICAS_PATH}
      everywhere={String(readDeployment(object).replicas)}
      numeric
      wrong={t("form.count")}
      accepts={(text) => /^\d{1,6}$/.test(text)}
      change={(newest, everywhere, own) => {
        const perCluster = new Map(
          [...own].map(([cluster, text]) => [cluster, text.trim() ? Number(text) : undefined]),
        );
        return withReplicas(newest, Number(everywhere), perCluster);
      }}
      onClose={onClose}
    />
  );
}
