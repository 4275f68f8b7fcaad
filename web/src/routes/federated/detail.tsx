import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import {
  DEPLOYMENTS,
  federatedQuery,
  federatedRow,
  type Place,
  replaceFederated,
  typesQuery,
} from "../../api/queries/federated";
import { holdsQuery } from "../../api/queries/holds";
import { statusOf } from "../../api/status";
import type { Federated, KubernetesObject } from "../../api/types";
import { formatNumber } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import { readConditions, readDeployment, withoutNoise } from "../../kube/federated-deployment";
import { kindOf, pluralOf } from "../../kube/kinds";
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
import { showToast } from "../../ui/toast";
import { ClusterTrouble, clusterColumns } from "./cluster-columns";
import { DeleteDialog } from "./delete-dialog";
import styles from "./detail.module.css";
import { EventsCard } from "./events-card";
import { HoldCard } from "./hold-card";
import { ImageDialog } from "./image-dialog";
import { PlacementDialog } from "./placement-dialog";
import { ScaleDialog } from "./scale-dialog";
import { SharesCard } from "./shares-card";
import { YamlForm } from "./yaml-form";

type Task = "scale" | "image" | "placement" | "yaml" | "delete";

function Totals({ summary }: { summary: Federated }) {
  const t = useT();
  return (
    <span className={styles.totals}>
      {summary.desiredReplicas == null
        ? t("federated.onClusters", { count: summary.clusters.length })
        : t("federated.totals", {
            ready: formatNumber(summary.readyReplicas ?? 0),
            desired: formatNumber(summary.desiredReplicas),
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
          [t("types.federated"), <code key="kind">{summary.kind}</code>],
          [t("federated.namespace"), summary.namespace || "–"],
          ...(summary.images?.length
            ? [[t("federated.images"), <code key="images">{summary.images.join(", ")}</code>] as const]
            : []),
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

/** The whole object as text. A version that was overtaken is refused, so nothing of somebody else's is lost. */
function EditYaml({ place, object, onClose }: { place: Place; object: KubernetesObject; onClose(): void }) {
  const t = useT();
  const queries = useQueryClient();
  const [initial] = useState(() => {
    const { status: _, ...rest } = withoutNoise(object);
    return toYaml(rest);
  });
  const save = useMutation({
    mutationFn: (text: string) => replaceFederated(place, text),
    onSuccess: async () => {
      showToast({ tone: "ok", text: t("federated.saved", { name: place.name }) });
      onClose();
      await queries.invalidateQueries({ queryKey: ["federated"] });
      await queries.invalidateQueries({ queryKey: ["holds"] });
    },
  });
  return (
    <YamlForm
      initial={initial}
      submit={t("action.save")}
      pending={save.isPending}
      error={save.error}
      onSubmit={save.mutate}
      onCancel={onClose}
    />
  );
}

/** The hold on a change of this very object, if one waits. */
function useHold({ resource, namespace, name }: Place) {
  const holds = useQuery(holdsQuery);
  return holds.data?.find(
    ({ cause }) => cause.resource === resource && (cause.namespace ?? "") === namespace && cause.name === name,
  );
}

export function Page() {
  const t = useT();
  const navigate = useNavigate();
  const params = useParams({ from: "/signed-in/federated/$resource/$namespace/$name" });
  const { resource, name } = params;
  const namespace = params.namespace === "-" ? "" : params.namespace;
  const place = useMemo(() => ({ resource, namespace, name }), [resource, namespace, name]);
  const types = useQuery(typesQuery);
  const kind = kindOf(
    types.data?.find((each) => each.resource === resource),
    resource,
  );
  const kinds = pluralOf(kind);
  const hold = useHold(place);
  const list = useMemo(() => federatedRow(place), [place]);
  const { rows, ready, error, retry } = useRows(list);
  const summary = rows.find((row) => row.namespace === namespace && row.name === name);
  const detail = useQuery({
    ...federatedQuery(place, summary),
    enabled: summary !== undefined,
    placeholderData: (before) => before,
  });
  const [task, setTask] = useState<Task>();
  const all = { to: "/federated/$resource", params: { resource } } as const;
  const crumb = { ...all, text: t("objects.title", { kinds }) };

  if (!summary) {
    const gone = ready || statusOf(error).reason === "NotFound";
    return (
      <PageFrame title={name} crumb={crumb}>
        {gone ? (
          <Empty
            icon="search"
            title={t("federated.gone.title", { name: namespace ? `${namespace}/${name}` : name })}
            action={<Button onClick={() => void navigate(all)}>{t("federated.gone.action", { kinds })}</Button>}
          >
            {t("federated.gone.text")}
          </Empty>
        ) : error ? (
          <StatusScreen error={error} onRetry={retry} />
        ) : (
          <Skeleton label={t("objects.loading", { kinds })} />
        )}
      </PageFrame>
    );
  }

  const object = detail.data?.object;
  const waiting = object ? undefined : t("federated.loading");
  const reason = summary.deleting ? t("federated.deleting") : waiting;
  const close = () => setTask(undefined);
  const isDeployment = resource === DEPLOYMENTS;
  const image = object && isDeployment ? readDeployment(object).image : undefined;
  const preference = detail.data?.preference;
  if (object && task === "yaml")
    return (
      <PageFrame title={t("yaml.title", { name })} crumb={crumb}>
        <EditYaml place={place} object={object} onClose={close} />
      </PageFrame>
    );
  return (
    <PageFrame
      title={name}
      crumb={crumb}
      subtitle={namespace ? t("federated.in", { namespace }) : t("types.scope.cluster")}
      beside={
        <>
          <FederatedStateMark state={summary.state} />
          <Totals summary={summary} />
          <LiveMark />
        </>
      }
      actions={
        <>
          {isDeployment && (
            <>
              <Button icon="scale" reason={reason} onClick={() => setTask("scale")}>
                {t("scale.open")}
              </Button>
              <Button icon="image" reason={reason} onClick={() => setTask("image")}>
                {t("image.open")}
              </Button>
            </>
          )}
          <Button icon="clusters" reason={reason} onClick={() => setTask("placement")}>
            {t("placement.open")}
          </Button>
          <Button icon="edit" reason={reason} onClick={() => setTask("yaml")}>
            {t("yaml.open")}
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
      {hold && <HoldCard id={hold.id} onAnswered={() => void detail.refetch()} />}
      <Card title={t("federated.clusters")} flush>
        {summary.clusters.length === 0 ? (
          <Empty icon="clusters" title={t("federated.noClusters.title")}>
            {t("federated.noClusters.text")}
          </Empty>
        ) : (
          <Table
            label={t("federated.clusters")}
            columns={clusterColumns(t, summary, image)}
            groups={[{ key: "all", rows: summary.clusters }]}
            keyOf={(cluster) => cluster.name}
            stale={(cluster) => cluster.status === "ClusterNotReady"}
            detail={(cluster) =>
              (propagationTone(cluster.status) !== "ok" || cluster.message) && <ClusterTrouble cluster={cluster} />
            }
          />
        )}
      </Card>
      {preference && <SharesCard preference={preference} />}
      <div className={styles.columns}>
        <About summary={summary} />
        <Card title={t("cluster.conditions")} flush>
          <Conditions conditions={object ? readConditions(object) : []} />
        </Card>
      </div>
      {detail.error && !object && <StatusScreen error={detail.error} onRetry={() => void detail.refetch()} />}
      <EventsCard place={place} />
      {object && <Yaml object={object} />}
      {object && task === "scale" && <ScaleDialog object={object} onClose={close} />}
      {object && task === "image" && <ImageDialog object={object} onClose={close} />}
      {object && task === "placement" && (
        <PlacementDialog
          place={place}
          object={object}
          clusters={summary.clusters.map((cluster) => cluster.name)}
          onClose={close}
        />
      )}
      {task === "delete" && (
        <DeleteDialog summary={summary} kind={kind} onClose={close} onDeleted={() => void navigate(all)} />
      )}
    </PageFrame>
  );
}
