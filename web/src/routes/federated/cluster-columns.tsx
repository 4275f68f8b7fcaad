import { Link } from "@tanstack/react-router";
import type { Federated, FederatedCluster } from "../../api/types";
import { formatNumber } from "../../i18n/format";
import { type Translate, useT } from "../../i18n/i18n";
import { shortImage } from "../../kube/image";
import { propagationDetail, propagationMessage, propagationTone } from "../../kube/propagation";
import { When } from "../../shell/when";
import type { Column } from "../../table/table";
import { State, Tag } from "../../ui/badge";
import { Meter } from "../../ui/layout";
import styles from "./detail.module.css";

function count(value: number | null | undefined): string {
  return value == null ? "–" : formatNumber(value);
}

/** What each cluster holds of the object. `image` is the one that clusters run unless they differ. */
export function clusterColumns(t: Translate, summary: Federated, image: string | undefined) {
  const { clusters, desiredReplicas } = summary;
  const counts = desiredReplicas != null || clusters.some((cluster) => cluster.replicas != null);
  const hidden = new Set<string>();
  if (!counts) for (const key of ["desired", "ready", "updated"]) hidden.add(key);
  if (!clusters.some((cluster) => cluster.images?.length)) hidden.add("image");
  return allColumns(t, image).filter((column) => !hidden.has(column.key));
}

function allColumns(t: Translate, image: string | undefined): Column<FederatedCluster>[] {
  return [
    {
      key: "name",
      title: t("federated.cluster"),
      cell: (cluster) => (
        <Link to="/clusters/$name" params={{ name: cluster.name }} className={styles.cluster}>
          {cluster.name}
        </Link>
      ),
    },
    {
      key: "sync",
      title: t("federated.sync"),
      cell: (cluster) => <State tone={propagationTone(cluster.status)}>{cluster.status || "OK"}</State>,
    },
    { key: "desired", title: t("federated.desired"), numeric: true, cell: (cluster) => count(cluster.desiredReplicas) },
    {
      key: "ready",
      title: t("federated.ready"),
      cell: (cluster) => {
        const desired = cluster.desiredReplicas ?? 0;
        if (cluster.readyReplicas == null && cluster.replicas == null && cluster.status !== "OK") return "–";
        const ready = cluster.readyReplicas ?? 0;
        return (
          <Meter
            value={ready}
            max={desired}
            tone={ready >= desired ? "ok" : "warn"}
            text={`${formatNumber(ready)}/${formatNumber(desired)}`}
          />
        );
      },
    },
    {
      key: "updated",
      title: t("federated.updated"),
      numeric: true,
      minor: true,
      cell: (cluster) => count(cluster.updatedReplicas),
    },
    {
      key: "image",
      title: t("federated.image"),
      cell: (cluster) => {
        const images = cluster.images ?? [];
        const differs = image !== undefined && images.length > 0 && !images.includes(image);
        return (
          <span className={styles.image} title={images.join("\n")}>
            <code>{images.map(shortImage).join(", ") || "–"}</code>
            {differs && <Tag tone="accent">{t("federated.differs.image")}</Tag>}
          </span>
        );
      },
    },
    {
      key: "differs",
      title: t("federated.differs"),
      minor: true,
      cell: (cluster) => (cluster.overrides ? t("federated.differs.count", { count: cluster.overrides }) : "–"),
    },
    { key: "changed", title: t("federated.changed"), cell: (cluster) => <When value={cluster.lastTransitionTime} /> },
  ];
}

/** The plain sentence under a cluster that is not in step, with the member's own words. */
export function ClusterTrouble({ cluster }: { cluster: FederatedCluster }) {
  const t = useT();
  const sentence = propagationMessage(cluster.status);
  const detail = propagationDetail(cluster.status, cluster.message);
  return (
    <span className={styles.trouble}>
      {sentence && <span>{t(sentence)}</span>}
      {detail && <span lang="en">{detail}</span>}
    </span>
  );
}
