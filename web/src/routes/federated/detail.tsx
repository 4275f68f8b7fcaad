import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { deploymentQuery, deploymentRow } from "../../api/queries/federated";
import { statusOf } from "../../api/status";
import type { Federated, KubernetesObject } from "../../api/types";
import { formatNumber } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import { readConditions, readDeployment, withoutNoise } from "../../kube/federated-deployment";
import { propagationMessage, propagationTone } from "../../kube/propagation";
import { toYaml } from "../../kube/yaml";
import { useRows } from "../../live/use-rows";
import { Conditions } from "../../shell/conditions";
import { FederatedStateMark } from "../../shell/federated-state";
import { LiveMark } from "../../shell/live-mark";
import { PageFrame } from "../../shell/page";
import { StatusScreen } from "../../shell/status-note";
import { When } from "../../shell/when";
import { Table } from "../../table/table";
import { Note } from "../../ui/badge";
import { Button } from "../../ui/button";
import { CopyBlock } from "../../ui/copy";
import { Card, Empty, Facts, Skeleton } from "../../ui/layout";
import { ClusterTrouble, clusterColumns } from "./cluster-columns";
import { DeleteDialog } from "./delete-dialog";
import styles from "./detail.module.css";
import { ImageDialog } from "./image-dialog";
import { ScaleDialog } from "./scale-dialog";

type Task = "scale" | "image" | "delete";

function Totals({ summary }: { summary: Federated }) {
  const t = useT();
  return (
    <span className={styles.totals}>
      {t("federated.totals", {
        ready: formatNumber(summary.readyReplicas ?? 0),
        desired: formatNumber(summary.desiredReplicas ?? 0),
        count: summary.clusters.length,
      })}
    </span>
  );
}

/** What is wrong with the whole object; single clusters say it in their own rows. */
function Trouble({ summary }: { summary: Federated }) {
  const t = useT();
  if (summary.deleting) return <Note tone="info">{t("federated.deleting")}</Note>;
  if (!summary.reason || summary.state === "Ready" || summary.reason === "CheckClusters") return null;
  const known = propagationMessage(summary.reason);
  return (
    <Note tone="warn">
      <strong>{known ? t(known) : summary.reason}</strong>
      {summary.message && <span lang="en">{summary.message}</span>}
    </Note>
  );
}

function About({ summary }: { summary: Federated }) {
  const t = useT();
  return (
    <Card title={t("federated.about")}>
      <Facts
        items={[
          [t("federated.namespace"), summary.namespace],
          [t("federated.images"), <code key="images">{summary.images?.join(", ") || "–"}</code>],
          [t("federated.created"), <When key="created" value={summary.createdAt} />],
          [
            t("federated.generation"),
            t("federated.generation.value", {
              generation: formatNumber(summary.generation),
              observed: summary.observedGeneration == null ? "–" : formatNumber(summary.observedGeneration),
            }),
          ],
          [t("cluster.uid"), <code key="uid">{summary.uid}</code>],
        ]}
      />
    </Card>
  );
}

function Yaml({ object }: { object: KubernetesObject }) {
  const t = useT();
  const text = useMemo(() => toYaml(withoutNoise(object)), [object]);
  return (
    <Card title="YAML">
      <CopyBlock tall name="YAML" text={text} label={t("action.copy")} copiedLabel={t("action.copied")} />
    </Card>
  );
}

export function Page() {
  const t = useT();
  const navigate = useNavigate();
  const { namespace, name } = useParams({ from: "/signed-in/federated/deployments.apps/$namespace/$name" });
  const list = useMemo(() => deploymentRow(namespace, name), [namespace, name]);
  const { rows, ready, error, retry } = useRows(list);
  const summary = rows.find((row) => row.namespace === namespace && row.name === name);
  const detail = useQuery({
    ...deploymentQuery(namespace, name, summary),
    enabled: summary !== undefined,
    placeholderData: (before) => before,
  });
  const [task, setTask] = useState<Task>();
  const crumb = { to: "/federated/deployments.apps", text: t("deployments.title") } as const;

  if (!summary) {
    const gone = ready || statusOf(error).reason === "NotFound";
    return (
      <PageFrame title={name} crumb={crumb}>
        {gone ? (
          <Empty
            icon="search"
            title={t("federated.gone.title", { name: `${namespace}/${name}` })}
            action={
              <Button onClick={() => void navigate({ to: "/federated/deployments.apps" })}>
                {t("federated.gone.action")}
              </Button>
            }
          >
            {t("federated.gone.text")}
          </Empty>
        ) : error ? (
          <StatusScreen error={error} onRetry={retry} />
        ) : (
          <Skeleton label={t("deployments.loading")} />
        )}
      </PageFrame>
    );
  }

  const object = detail.data?.object;
  const waiting = object ? undefined : t("federated.loading");
  const reason = summary.deleting ? t("federated.deleting") : waiting;
  const close = () => setTask(undefined);
  const image = object ? readDeployment(object).image : undefined;
  return (
    <PageFrame
      title={name}
      crumb={crumb}
      subtitle={t("federated.in", { namespace })}
      beside={
        <>
          <FederatedStateMark state={summary.state} />
          <Totals summary={summary} />
          <LiveMark />
        </>
      }
      actions={
        <>
          <Button icon="scale" reason={reason} onClick={() => setTask("scale")}>
            {t("scale.open")}
          </Button>
          <Button icon="image" reason={reason} onClick={() => setTask("image")}>
            {t("image.open")}
          </Button>
          <Button
            icon="trash"
            reason={summary.deleting ? t("federated.deleting") : undefined}
            onClick={() => setTask("delete")}
          >
            {t("delete.open")}
          </Button>
        </>
      }
    >
      <Trouble summary={summary} />
      <Card title={t("federated.clusters")} flush>
        {summary.clusters.length === 0 ? (
          <Empty icon="clusters" title={t("federated.noClusters.title")}>
            {t("federated.noClusters.text")}
          </Empty>
        ) : (
          <Table
            label={t("federated.clusters")}
            columns={clusterColumns(t, image)}
            groups={[{ key: "all", rows: summary.clusters }]}
            keyOf={(cluster) => cluster.name}
            stale={(cluster) => cluster.status === "ClusterNotReady"}
            detail={(cluster) => propagationTone(cluster.status) !== "ok" && <ClusterTrouble cluster={cluster} />}
          />
        )}
      </Card>
      <div className={styles.columns}>
        <About summary={summary} />
        <Card title={t("cluster.conditions")} flush>
          <Conditions conditions={object ? readConditions(object) : []} />
        </Card>
      </div>
      {detail.error && !object && <StatusScreen error={detail.error} onRetry={() => void detail.refetch()} />}
      {object && <Yaml object={object} />}
      {object && task === "scale" && <ScaleDialog object={object} onClose={close} />}
      {object && task === "image" && <ImageDialog object={object} onClose={close} />}
      {task === "delete" && (
        <DeleteDialog
          summary={summary}
          onClose={close}
          onDeleted={() => void navigate({ to: "/federated/deployments.apps" })}
        />
      )}
    </PageFrame>
  );
}
