import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { clusterList } from "../../api/queries/clusters";
import { changeFederated, type Place } from "../../api/queries/federated";
import type { KubernetesObject } from "../../api/types";
import { useT } from "../../i18n/i18n";
import { selectsByLabel, withClusters } from "../../kube/federated-deployment";
import { useRows } from "../../live/use-rows";
import { ClusterStateMark } from "../../shell/cluster-state";
import { SaveDialog } from "../../shell/save-dialog";
import { Note } from "../../ui/badge";
import { Checkbox } from "../../ui/field";
import { showToast } from "../../ui/toast";
import { hostFirst } from "../clusters/order";
import styles from "./detail.module.css";
import { PreviewPanel } from "./preview";

interface PlacementDialogProps {
  place: Place;
  object: KubernetesObject;
  /** Where it goes now. */
  clusters: readonly string[];
  onClose(): void;
}

/** Chooses the clusters of an object, with what that would do before it is saved. */
export function PlacementDialog({ place, clusters, onClose, ...props }: PlacementDialogProps) {
  const t = useT();
  const queries = useQueryClient();
  const fleet = useRows(clusterList);
  // What was decided on: the page behind goes on following the object.
  const [object] = useState(props.object);
  const [chosen, setChosen] = useState<readonly string[]>(clusters);
  const save = useMutation({
    mutationFn: () => changeFederated(place, object, (newest) => withClusters(newest, chosen)),
    onSuccess: async () => {
      showToast({ tone: "ok", text: t("federated.saved", { name: place.name }) });
      onClose();
      await queries.invalidateQueries({ queryKey: ["federated"] });
      await queries.invalidateQueries({ queryKey: ["holds"] });
    },
  });
  const toggle = (name: string, on: boolean) =>
    setChosen((before) => (on ? [...before, name] : before.filter((other) => other !== name)));
  return (
    <SaveDialog
      wide
      title={t("placement.title", { name: place.name })}
      description={t("placement.text")}
      save={save}
      onClose={onClose}
    >
      {selectsByLabel(object) && <Note tone="info">{t("placement.selector")}</Note>}
      <fieldset className={styles.choice}>
        <legend>{t("federated.clusters")}</legend>
        {hostFirst(fleet.rows).map((cluster) => (
          <Checkbox
            key={cluster.name}
            label={cluster.name}
            hint={<ClusterStateMark state={cluster.state} />}
            checked={chosen.includes(cluster.name)}
            onChange={(event) => toggle(cluster.name, event.target.checked)}
          />
        ))}
      </fieldset>
      <PreviewPanel object={withClusters(object, chosen)} complete />
    </SaveDialog>
  );
}
