import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { previewQuery } from "../../api/queries/federated";
import type { KubernetesObject, PreviewCluster } from "../../api/types";
import { formatNumber } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import type { PlainId } from "../../i18n/ids";
import { propagationDetail, propagationMessage } from "../../kube/propagation";
import { toYaml } from "../../kube/yaml";
import { StatusNote } from "../../shell/status-note";
import { Note, State, type Tone } from "../../ui/badge";
import { CopyBlock } from "../../ui/copy";
import { Card, Meter } from "../../ui/layout";
import styles from "./new.module.css";

/** What the planner may say of a cluster; words of a newer one are shown as they are. */
const ACTION: Record<string, { message: PlainId; tone: Tone }> = {
  create: { message: "preview.create", tone: "ok" },
  update: { message: "preview.update", tone: "info" },
  unchanged: { message: "preview.unchanged", tone: "ok" },
  delete: { message: "preview.delete", tone: "bad" },
  keep: { message: "preview.keep", tone: "idle" },
  wait: { message: "preview.wait", tone: "warn" },
  fail: { message: "preview.fail", tone: "bad" },
  none: { message: "preview.none", tone: "idle" },
};

/** The text once it has stopped changing for a moment. */
function useSettled(text: string, wait: number): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), wait);
    return () => clearTimeout(timer);
  }, [text, wait]);
  return settled;
}

function Cluster({ cluster, most }: { cluster: PreviewCluster; most: number }) {
  const t = useT();
  const action = ACTION[cluster.action];
  const why = cluster.reason ? propagationMessage(cluster.reason) : undefined;
  const detail = propagationDetail(cluster.reason ?? "", cluster.message);
  return (
    <li className={styles.planned}>
      <div className={styles.plannedHead}>
        <strong>{cluster.name}</strong>
        <State tone={action?.tone ?? "idle"}>{action ? t(action.message) : cluster.action}</State>
        {cluster.replicas != null && (
          <Meter value={cluster.replicas} max={most} text={t("preview.replicas", { count: cluster.replicas })} />
        )}
      </div>
      {(why || detail || cluster.reason) && (
        <p className={styles.why}>
          {why ? t(why) : null} {detail ? <span lang="en">{detail}</span> : !why && cluster.reason}
        </p>
      )}
      {cluster.object && (
        <details>
          <summary>{t("preview.yaml", { name: cluster.name })}</summary>
          <CopyBlock
            name={t("preview.yaml", { name: cluster.name })}
            text={toYaml(cluster.object)}
            label={t("action.copy")}
            copiedLabel={t("action.copied")}
          />
        </details>
      )}
    </li>
  );
}

/** What the server's planner would do with the object as it stands. Nothing is saved. */
export function PreviewPanel({ object, complete }: { object: KubernetesObject; complete: boolean }) {
  const t = useT();
  const text = useSettled(JSON.stringify(object), 300);
  const settled = useMemo((): KubernetesObject => JSON.parse(text), [text]);
  const preview = useQuery({ ...previewQuery(settled), enabled: complete, placeholderData: keepPreviousData });
  // A cluster the object is not placed on and holds nothing of is no news.
  const clusters = (preview.data?.clusters ?? []).filter((cluster) => cluster.action !== "none");
  const total = clusters.reduce((sum, cluster) => sum + (cluster.replicas ?? 0), 0);
  const most = Math.max(1, ...clusters.map((cluster) => cluster.replicas ?? 0));
  return (
    <Card
      title={t("preview.title")}
      actions={
        <span className={styles.verdict}>
          {preview.isFetching && complete ? t("preview.asking") : t("preview.source")}
        </span>
      }
      flush
    >
      {!complete ? (
        <p className={styles.quiet}>{t("preview.incomplete")}</p>
      ) : preview.error ? (
        <div className={styles.quiet}>
          <StatusNote error={preview.error} />
        </div>
      ) : preview.data ? (
        <>
          <p className={styles.total}>
            {t("preview.total", { replicas: formatNumber(total), count: clusters.length })}
          </p>
          <ul>
            {clusters.map((cluster) => (
              <Cluster key={cluster.name} cluster={cluster} most={most} />
            ))}
          </ul>
          {(preview.data.warnings ?? []).map((warning) => (
            <div key={warning} className={styles.quiet}>
              <Note tone="warn">
                <span lang="en">{warning}</span>
              </Note>
            </div>
          ))}
        </>
      ) : (
        <p className={styles.quiet}>{t("preview.asking")}</p>
      )}
    </Card>
  );
}
