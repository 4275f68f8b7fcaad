import type { Cluster, Resources } from "../../api/types";
import { formatBytes, formatCpu, formatNumber, formatPercent } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import type { PlainId } from "../../i18n/ids";
import { Card, Meter, Muted } from "../../ui/layout";
import styles from "./overview.module.css";

interface Kind {
  key: keyof Resources;
  title: PlainId;
  format(value: number): string;
}

const KINDS: readonly Kind[] = [
  { key: "cpuMillis", title: "cluster.cpu.long", format: formatCpu },
  { key: "memoryBytes", title: "cluster.memory.long", format: formatBytes },
  { key: "pods", title: "cluster.pods", format: formatNumber },
];

/** What the nodes have, and how much of it pods have asked for. */
export function CapacityCard({ cluster }: { cluster: Cluster }) {
  const t = useT();
  return (
    <Card title={t("cluster.capacity")}>
      <div className={styles.capacity}>
        {KINDS.map(({ key, title, format }) => {
          const capacity = cluster.capacity?.[key];
          const allocatable = cluster.allocatable?.[key] ?? capacity;
          const requested = cluster.requested?.[key];
          return (
            <div key={key}>
              <h3>{t(title)}</h3>
              <p className={styles.amount}>{capacity == null ? "–" : format(capacity)}</p>
              {requested != null && allocatable ? (
                <Meter
                  value={requested}
                  max={allocatable}
                  tone={requested / allocatable > 0.85 ? "warn" : "accent"}
                  text={t("cluster.requested", { share: formatPercent(requested / allocatable) })}
                />
              ) : (
                <Muted>
                  {allocatable == null
                    ? t("cluster.unknown")
                    : t("cluster.allocatable", { amount: format(allocatable) })}
                </Muted>
              )}
            </div>
          );
        })}
      </div>
    </Card>
  );
}
