import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { type ObjectOrYaml, previewQuery } from "../../api/queries/federated";
import type { FieldChange, PreviewCluster } from "../../api/types";
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

/** What would be deleted, but for a confirmation. */
const HELD: { message: PlainId; tone: Tone } = { message: "preview.held", tone: "bad" };

/** The text once it has stopped changing for a moment. */
function useSettled(text: string, wait: number): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), wait);
    return () => clearTimeout(timer);
  }, [text, wait]);
  return settled;
}

function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Field by field, what would change in the object that is there. */
function Changes({ changes }: { changes: readonly FieldChange[] }) {
  const t = useT();
  return (
    <ul className={styles.changes} aria-label={t("preview.changes")}>
      {changes.map(({ path, before, after }) => (
        <li key={path}>
          <code>{path}</code>
          <span className={styles.values}>
            {before != null && (
              <del>
                <span className={styles.spoken}>{t("preview.before")} </span>
                {valueText(before)}
              </del>
            )}
            {after != null ? (
              <ins>
                <span className={styles.spoken}>{t("preview.after")} </span>
                {valueText(after)}
              </ins>
            ) : (
              <span>{t("preview.gone")}</span>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Cluster({ cluster, most }: { cluster: PreviewCluster; most: number }) {
  const t = useT();
  const held = cluster.reason === "Held";
  const action = held ? HELD : ACTION[cluster.action];
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
      {cluster.changes.length > 0 && <Changes changes={cluster.changes} />}
      {cluster.object && cluster.action !== "unchanged" && (
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
export function PreviewPanel({ object, complete }: { object: ObjectOrYaml; complete: boolean }) {
  const t = useT();
  const text = useSettled(JSON.stringify(object), 300);
  const settled = useMemo((): ObjectOrYaml => JSON.parse(text), [text]);
  const preview = useQuery({ ...previewQuery(settled), enabled: complete, placeholderData: keepPreviousData });
  const all = preview.data?.clusters ?? [];
  // A cluster the object is not placed on and holds nothing of is no news; why it is left out is told on request.
  const clusters = all.filter((cluster) => cluster.action !== "none");
  const leftOut = all.filter((cluster) => cluster.action === "none");
  const counted = clusters.some((cluster) => cluster.replicas != null);
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
            {counted
              ? t("preview.total", { replicas: formatNumber(total), count: clusters.length })
              : t("preview.total.plain", { count: clusters.length })}
          </p>
          <ul>
            {clusters.map((cluster) => (
              <Cluster key={cluster.name} cluster={cluster} most={most} />
            ))}
          </ul>
          {leftOut.length > 0 && (
            <details className={styles.quiet}>
              <summary>{t("preview.leftOut", { count: leftOut.length })}</summary>
              <ul className={styles.changes}>
                {leftOut.map((cluster) => (
                  <li key={cluster.name}>
                    <strong>{cluster.name}</strong>
                    <span lang="en">{cluster.message ?? cluster.reason}</span>
                  </li>
                ))}
              </ul>
            </details>
          )}
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
