import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { federatedList, pathOf, typesQuery } from "../../api/queries/federated";
import type { Federated, FederatedType } from "../../api/types";
import { formatNumber } from "../../i18n/format";
import { type Translate, useT } from "../../i18n/i18n";
import { shortImage } from "../../kube/image";
import { kindOf, pluralOf } from "../../kube/kinds";
import { propagationMessage, propagationTone } from "../../kube/propagation";
import { useRows } from "../../live/use-rows";
import { FEDERATED_STATES, FederatedStateMark, federatedStateMessage } from "../../shell/federated-state";
import { LiveMark } from "../../shell/live-mark";
import { PageFrame } from "../../shell/page";
import { StatusScreen } from "../../shell/status-note";
import { When } from "../../shell/when";
import { type Column, Table } from "../../table/table";
import { Note, Tag } from "../../ui/badge";
import { Button, buttonClass } from "../../ui/button";
import { Select } from "../../ui/field";
import { Icon } from "../../ui/icon";
import { Card, Empty, Meter, Skeleton } from "../../ui/layout";
import styles from "../clusters/list.module.css";
import { compareFederated, inTrouble, matchesFederated, SORT_KEYS, type SortKey } from "./order";

/** Kinds without replicas have nothing to say about readiness, and those without pods none about images. */
function columns(t: Translate, type: FederatedType | undefined, rows: readonly Federated[]) {
  const hidden = new Set<SortKey>();
  if (!type?.hasReplicas) hidden.add("ready");
  if (!rows.some((object) => object.images?.length)) hidden.add("images");
  if (rows.every((object) => !object.namespace)) hidden.add("namespace");
  return allColumns(t).filter((column) => !hidden.has(column.key));
}

function allColumns(t: Translate): Column<Federated, SortKey>[] {
  return [
    {
      key: "name",
      title: t("federated.name"),
      sortable: true,
      cell: (object) => (
        <span className={styles.name}>
          <Link to="/federated/$resource/$namespace/$name" params={pathOf(object)}>
            {object.name}
          </Link>
        </span>
      ),
    },
    { key: "namespace", title: t("federated.namespace"), sortable: true, cell: (object) => object.namespace },
    {
      key: "state",
      title: t("federated.state"),
      sortable: true,
      cell: (object) => <FederatedStateMark state={object.state} />,
    },
    {
      key: "ready",
      title: t("federated.ready"),
      sortable: true,
      cell: (object) => {
        const ready = object.readyReplicas ?? 0;
        const desired = object.desiredReplicas ?? 0;
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
      key: "clusters",
      title: t("federated.clusters"),
      sortable: true,
      cell: (object) => (
        <span className={styles.name}>
          {object.clusters.slice(0, 4).map((cluster) => (
            <Tag key={cluster.name}>{cluster.name}</Tag>
          ))}
          {object.clusters.length > 4 && <Tag>+{object.clusters.length - 4}</Tag>}
          {object.clusters.length === 0 && "–"}
        </span>
      ),
    },
    {
      key: "images",
      title: t("federated.images"),
      sortable: true,
      minor: true,
      cell: (object) => (
        <span title={object.images?.join("\n")}>{object.images?.map(shortImage).join(", ") || "–"}</span>
      ),
    },
    {
      key: "createdAt",
      title: t("federated.created"),
      sortable: true,
      cell: (object) => <When value={object.createdAt} />,
    },
  ];
}

/** The second line: which clusters are not in step, in KubeFed's words. */
function Trouble({ object }: { object: Federated }) {
  const t = useT();
  const bad = object.clusters.filter((cluster) => propagationTone(cluster.status) !== "ok");
  if (bad.length === 0) {
    const known = propagationMessage(object.reason ?? "");
    return <span>{known ? t(known) : object.message || object.reason}</span>;
  }
  return (
    <span className={styles.why}>
      {bad.slice(0, 3).map((cluster) => {
        const sentence = propagationMessage(cluster.status);
        return (
          <span key={cluster.name}>
            {cluster.name}: {sentence ? t(sentence) : cluster.status}
          </span>
        );
      })}
      {bad.length > 3 && <span>{t("list.more", { count: bad.length - 3 })}</span>}
    </span>
  );
}

function NewLink({ resource, kind }: { resource: string; kind: string }) {
  const t = useT();
  return (
    <Link to="/federated/$resource/new" params={{ resource }} className={buttonClass("primary")}>
      <Icon name="plus" />
      {t("objects.new", { kind })}
    </Link>
  );
}

export function Page() {
  const t = useT();
  const navigate = useNavigate({ from: "/federated/$resource" });
  const { resource } = useParams({ from: "/signed-in/federated/$resource" });
  const search = useSearch({ from: "/signed-in/federated/$resource" });
  const types = useQuery(typesQuery);
  const type = types.data?.find((each) => each.resource === resource);
  const kind = kindOf(type, resource);
  const kinds = pluralOf(kind);
  const list = useMemo(() => federatedList(resource), [resource]);
  const { rows, ready, error, retry } = useRows(list);
  const by: SortKey = SORT_KEYS.find((key) => key === search.sortBy) ?? "name";
  const ascending = search.ascending ?? true;
  const shown = useMemo(
    () =>
      rows
        .filter(
          (object) => (!search.state || object.state === search.state) && matchesFederated(object, search.name ?? ""),
        )
        .sort(compareFederated(by, ascending)),
    [rows, search.state, search.name, by, ascending],
  );
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });

  const content = () => {
    if (error && rows.length === 0) return <StatusScreen error={error} onRetry={retry} />;
    if (!ready && rows.length === 0) return <Skeleton label={t("objects.loading", { kinds })} />;
    if (rows.length === 0)
      return (
        <Empty
          icon="workloads"
          title={t("objects.empty.title", { kinds })}
          action={<NewLink resource={resource} kind={kind} />}
        >
          {t("objects.empty.text")}
        </Empty>
      );
    if (shown.length === 0)
      return (
        <Empty
          icon="search"
          title={t("objects.none.title")}
          action={<Button onClick={() => void navigate({ search: {}, replace: true })}>{t("list.clear")}</Button>}
        >
          {t("objects.none.text", { count: rows.length })}
        </Empty>
      );
    return (
      <Table
        label={t("objects.title", { kinds })}
        columns={columns(t, type, rows)}
        groups={[{ key: "all", rows: shown }]}
        keyOf={(object) => object.uid}
        sort={{ by, ascending }}
        onSort={(sort) => change({ sortBy: sort.by, ascending: sort.ascending })}
        detail={(object) => inTrouble(object) && <Trouble object={object} />}
      />
    );
  };

  return (
    <PageFrame
      title={t("objects.title", { kinds })}
      subtitle={t("objects.subtitle")}
      crumb={{ to: "/federated", text: t("types.title") }}
      actions={<NewLink resource={resource} kind={kind} />}
    >
      {type && !type.propagated && <Note tone="info">{t("types.off.text", { kinds })}</Note>}
      <Card flush>
        <div className={styles.toolbar}>
          <label className={styles.search}>
            <Icon name="search" />
            <input
              type="search"
              aria-label={t("objects.filter")}
              placeholder={t("objects.filter")}
              value={search.name ?? ""}
              onChange={(event) => change({ name: event.target.value })}
            />
          </label>
          <Select
            aria-label={t("federated.state")}
            value={search.state ?? ""}
            options={[
              ["", t("list.anyStatus")],
              ...FEDERATED_STATES.map((state) => [state, t(federatedStateMessage(state))] as const),
            ]}
            onChange={(event) => change({ state: event.target.value })}
          />
          <span className={styles.summary}>
            {rows.length > 0 && <span>{t("objects.count", { count: rows.length, kind, kinds })}</span>}
            <LiveMark />
          </span>
        </div>
        {content()}
      </Card>
    </PageFrame>
  );
}
