import { Link } from "@tanstack/react-router";
import type { Cluster } from "../../api/types";
import { formatBytes, formatCpu, formatMillis, formatNumber } from "../../i18n/format";
import type { Translate } from "../../i18n/i18n";
import { lastSeen } from "../../kube/conditions";
import { ClusterStateMark } from "../../shell/cluster-state";
import { When } from "../../shell/when";
import type { Column } from "../../table/table";
import { Tag } from "../../ui/badge";
import styles from "./list.module.css";
import type { SortKey } from "./order";

function Nodes({ cluster }: { cluster: Cluster }) {
  if (cluster.nodeCount == null) return <>–</>;
  if (cluster.readyNodeCount == null) return <>{formatNumber(cluster.nodeCount)}</>;
  return (
    <>
      {formatNumber(cluster.readyNodeCount)}
      <span className={styles.of}>/{formatNumber(cluster.nodeCount)}</span>
    </>
  );
}

export function clusterColumns(t: Translate): Column<Cluster, SortKey>[] {
  return [
    {
      key: "name",
      title: t("cluster.name"),
      sortable: true,
      cell: (cluster) => (
        <span className={styles.name}>
          <Link to="/clusters/$name" params={{ name: cluster.name }}>
            {cluster.name}
          </Link>
          {cluster.role === "host" && <Tag tone="accent">{t("cluster.role.host")}</Tag>}
          {cluster.alias && <span className={styles.alias}>{cluster.alias}</span>}
        </span>
      ),
    },
    {
      key: "state",
      title: t("cluster.status"),
      sortable: true,
      cell: (cluster) => (
        <span className={styles.state}>
          <ClusterStateMark state={cluster.state} />
          {cluster.state !== "Offline" && cluster.latencyMs != null && <span>{formatMillis(cluster.latencyMs)}</span>}
        </span>
      ),
    },
    {
      key: "nodeCount",
      title: t("cluster.nodes"),
      sortable: true,
      numeric: true,
      cell: (cluster) => <Nodes cluster={cluster} />,
    },
    {
      key: "kubernetesVersion",
      title: t("cluster.version"),
      sortable: true,
      cell: (cluster) => cluster.kubernetesVersion ?? "–",
    },
    {
      key: "provider",
      title: t("cluster.provider"),
      sortable: true,
      cell: (cluster) =>
        cluster.provider || cluster.region ? (
          <>
            {cluster.provider ?? ""}
            {cluster.provider && cluster.region && <span className={styles.of}> · </span>}
            {cluster.region && <span className={styles.of}>{cluster.region}</span>}
          </>
        ) : (
          "–"
        ),
    },
    {
      key: "cpu",
      title: t("cluster.cpu"),
      sortable: true,
      numeric: true,
      minor: true,
      cell: (cluster) => (cluster.capacity?.cpuMillis != null ? formatCpu(cluster.capacity.cpuMillis) : "–"),
    },
    {
      key: "memory",
      title: t("cluster.memory"),
      sortable: true,
      numeric: true,
      minor: true,
      cell: (cluster) => (cluster.capacity?.memoryBytes != null ? formatBytes(cluster.capacity.memoryBytes) : "–"),
    },
    {
      key: "asOf",
      title: t("cluster.lastSeen"),
      sortable: true,
      minor: true,
      cell: (cluster) => <When value={lastSeen(cluster)} />,
    },
    {
      key: "createdAt",
      title: t("cluster.created"),
      sortable: true,
      cell: (cluster) => <When value={cluster.createdAt} />,
    },
  ];
}
