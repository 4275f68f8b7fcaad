import type { KubernetesObject } from "../../api/types";
import { formatNumber } from "../../i18n/format";
import { type Translate, useT } from "../../i18n/i18n";
import { readShares, type Share } from "../../kube/shares";
import { type Column, Table } from "../../table/table";
import { Note } from "../../ui/badge";
import { Card, Meter, Muted } from "../../ui/layout";
import styles from "./detail.module.css";

function columns(t: Translate, most: number): Column<Share>[] {
  return [
    { key: "name", title: t("federated.cluster"), cell: (share) => share.name },
    {
      key: "replicas",
      title: t("shares.replicas"),
      cell: (share) => <Meter value={share.replicas} max={most} text={formatNumber(share.replicas)} />,
    },
    {
      key: "why",
      title: t("shares.why"),
      cell: (share) => (
        <span lang="en" className={styles.words}>
          {share.reason}
        </span>
      ),
    },
  ];
}

/** Where the replica preference puts replicas, and the reason for each number. */
export function SharesCard({ preference }: { preference: KubernetesObject }) {
  const t = useT();
  const shares = readShares(preference);
  const most = Math.max(1, ...shares.clusters.map((share) => share.replicas));
  return (
    <Card title={t("shares.title", { total: formatNumber(shares.total) })} flush>
      {shares.unplaced > 0 && (
        <div className={styles.none}>
          <Note tone="warn">{t("shares.unplaced", { count: shares.unplaced })}</Note>
        </div>
      )}
      {shares.clusters.length > 0 ? (
        <Table
          label={t("shares.label")}
          columns={columns(t, most)}
          groups={[{ key: "all", rows: shares.clusters }]}
          keyOf={(share) => share.name}
        />
      ) : (
        <p className={styles.none}>
          <Muted>{shares.message || t("shares.none")}</Muted>
        </p>
      )}
    </Card>
  );
}
