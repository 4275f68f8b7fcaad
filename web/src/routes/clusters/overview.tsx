import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { clusterList } from "../../api/queries/clusters";
import type { Cluster } from "../../api/types";
import { formatMillis, formatNumber } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import { lastSeen, whyNotReady } from "../../kube/conditions";
import { useRows } from "../../live/use-rows";
import { ClusterStateMark } from "../../shell/cluster-state";
import { Conditions } from "../../shell/conditions";
import { KubeconfigButton } from "../../shell/kubeconfig-button";
import { LiveMark } from "../../shell/live-mark";
import { PageFrame } from "../../shell/page";
import { StatusScreen } from "../../shell/status-note";
import { When } from "../../shell/when";
import { Note, Tag } from "../../ui/badge";
import { Button } from "../../ui/button";
import { CopyBlock } from "../../ui/copy";
import { Card, Empty, Facts, Skeleton, Stack } from "../../ui/layout";
import { CapacityCard } from "./capacity-card";
import { LabelsCard } from "./labels-card";
import styles from "./overview.module.css";
import { type Task, TaskDialog } from "./task-dialog";

function kubectlLines(name: string): string {
  return [
    "export KUBECONFIG=atoll.kubeconfig",
    `kubectl --context ${name} get nodes`,
    `kubectl --context ${name} get pods --all-namespaces`,
  ].join("\n");
}

function About({ cluster }: { cluster: Cluster }) {
  const t = useT();
  const nodes =
    cluster.nodeCount == null
      ? "–"
      : t("cluster.nodes.ready", {
          ready: formatNumber(cluster.readyNodeCount ?? cluster.nodeCount),
          total: formatNumber(cluster.nodeCount),
        });
  const text = (value: string | null | undefined) => value || "–";
  return (
    <Card title={t("cluster.about")}>
      <Facts
        items={[
          [t("cluster.version"), text(cluster.kubernetesVersion)],
          [t("cluster.nodes"), nodes],
          [t("cluster.endpoint"), <code key="endpoint">{text(cluster.endpoint)}</code>],
          [t("cluster.provider"), text(cluster.provider)],
          [t("cluster.region"), text(cluster.region)],
          [t("cluster.latency"), cluster.latencyMs == null ? "–" : formatMillis(cluster.latencyMs)],
          [t("cluster.lastSeen"), <When key="seen" value={lastSeen(cluster)} />],
          [t("cluster.created"), <When key="created" value={cluster.createdAt} />],
          [t("cluster.createdBy"), text(cluster.createdBy)],
          [
            t("cluster.credentialExpires"),
            cluster.credentialExpiresAt ? (
              <When key="expiry" value={cluster.credentialExpiresAt} />
            ) : (
              t("cluster.never")
            ),
          ],
          [t("cluster.uid"), <code key="uid">{text(cluster.uid)}</code>],
        ]}
      />
    </Card>
  );
}

export function Page() {
  const t = useT();
  const navigate = useNavigate();
  const { name } = useParams({ from: "/signed-in/clusters/$name" });
  const { rows, ready, error, retry } = useRows(clusterList);
  const [task, setTask] = useState<Task>();
  const cluster = rows.find((each) => each.name === name);
  const crumb = { to: "/clusters", text: t("clusters.title") } as const;

  if (!cluster)
    return (
      <PageFrame title={name} crumb={crumb}>
        {error ? (
          <StatusScreen error={error} onRetry={retry} />
        ) : ready ? (
          <Empty icon="search" title={t("cluster.gone.title", { name })}>
            {t("cluster.gone.text")}
          </Empty>
        ) : (
          <Skeleton label={t("clusters.loading")} />
        )}
      </PageFrame>
    );

  const why = whyNotReady(cluster);
  return (
    <PageFrame
      title={cluster.name}
      crumb={crumb}
      subtitle={[cluster.alias, cluster.description].filter(Boolean).join(" · ")}
      beside={
        <>
          <ClusterStateMark state={cluster.state} />
          {cluster.role === "host" && <Tag tone="accent">{t("cluster.role.host")}</Tag>}
          <LiveMark />
        </>
      }
      actions={
        <>
          <KubeconfigButton clusters={[name]} />
          <Button icon="edit" onClick={() => setTask({ kind: "edit", cluster })}>
            {t("cluster.edit")}
          </Button>
          <Button icon="key" onClick={() => setTask({ kind: "credential", cluster })}>
            {t("cluster.credential")}
          </Button>
          <Button icon="trash" onClick={() => setTask({ kind: "remove", cluster })}>
            {t("cluster.remove")}
          </Button>
        </>
      }
    >
      {cluster.state !== "Ready" && (
        <Note tone={cluster.state === "Offline" ? "bad" : "warn"}>
          <strong lang={why ? "en" : undefined}>
            {why ?? t(cluster.state === "Pending" ? "cluster.why.pending" : "cluster.why.unknown")}
          </strong>
          <span>
            {t("cluster.since")} <When value={cluster.since} />
          </span>
          {cluster.state === "Offline" && cluster.asOf && <span>{t("cluster.stale")}</span>}
        </Note>
      )}
      <CapacityCard cluster={cluster} />
      <div className={styles.columns}>
        <About cluster={cluster} />
        <Stack>
          <Card title={t("cluster.conditions")} flush>
            <Conditions conditions={cluster.conditions ?? []} />
          </Card>
          <LabelsCard cluster={cluster} />
          <Card title={t("cluster.kubectl")}>
            <Stack>
              <p>{t("cluster.kubectl.text")}</p>
              <CopyBlock
                name={t("cluster.kubectl")}
                text={kubectlLines(name)}
                label={t("action.copy")}
                copiedLabel={t("action.copied")}
              />
            </Stack>
          </Card>
        </Stack>
      </div>
      <TaskDialog task={task} onClose={() => setTask(undefined)} onRemoved={() => void navigate({ to: "/clusters" })} />
    </PageFrame>
  );
}
