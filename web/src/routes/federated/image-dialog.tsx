import type { KubernetesObject } from "../../api/types";
import { useT } from "../../i18n/i18n";
import { IMAGE_PATH, readDeployment, withImage } from "../../kube/federated-deployment";
import { isImage } from "../../kube/names";
import { DifferenceDialog } from "./difference-dialog";

export function ImageDialog({ object, onClose }: { object: KubernetesObject; onClose(): void }) {
  const t = useT();
  return (
    <DifferenceDialog
      object={object}
      title={t("image.title", { name: object.metadata.name })}
      description={t("image.text")}
      label={t("new.image")}
      path={IMAGE_PATH}
      everywhere={readDeployment(object).image}
      mono
      wrong={t("form.image")}
      accepts={isImage}
      change={(newest, everywhere, own) => {
        const perCluster = new Map([...own].map(([cluster, text]) => [cluster, text.trim() || undefined]));
        return withImage(newest, everywhere, perCluster);
      }}
      onClose={onClose}
    />
  );
}
