import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { clusterList } from "../../api/queries/clusters";
import type { Cluster } from "../../api/types";
import { formatNumber } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import { whyNotReady } from "../../kube/conditions";
import { useRows } from "../../live/use-rows";
import { STATE_MESSAGE } from "../../shell/cluster-state";
import { LiveMark } from "../../shell/live-mark";
import { PageFrame } from "../../shell/page";
import { StatusScreen } from "../../shell/status-note";
import { type Group, Table } from "../../table/table";
import { Button, buttonClass, IconButton } from "../../ui/button";
import { Select } from "../../ui/field";
import { Icon } from "../../ui/icon";
import { Card, Empty, Skeleton } from "../../ui/layout";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu";
import { clusterColumns } from "./columns";
import styles from "./list.module.css";
import { compareClusters, matchesCluster, SORT_KEYS, type SortKey } from "./order";
import { type Task, TaskDialog } from "./task-dialog";

const STATES = ["Ready", "Degraded", "Offline", "Pending"] as const;

function AddLink() {
  const t = useT();
  return (
    <Link to="/clusters/-/add" className={buttonClass("primary")}>
      <Icon name="plus" />
      {t("clusters.add")}
    </Link>
  );
}

function RowMenu({ cluster, onTask }: { cluster: Cluster; onTask(task: Task): void }) {
  const t = useT();
  return (
    <Menu trigger={<IconButton icon="more" label={t("clusters.menu", { name: cluster.name })} />}>
      <MenuItem icon="edit" onSelect={() => onTask({ kind: "edit", cluster })}>
        {t("cluster.edit")}
      </MenuItem>
      <MenuItem icon="key" onSelect={() => onTask({ kind: "credential", cluster })}>
        {t("cluster.credential")}
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon="trash" danger onSelect={() => onTask({ kind: "remove", cluster })}>
        {t("cluster.remove")}
      </MenuItem>
    </Menu>
  );
}

export function Page() {
  const t = useT();
  const navigate = useNavigate({ from: "/clusters" });
  const search = useSearch({ from: "/signed-in/clusters" });
  const { rows, ready, error, retry } = useRows(clusterList);
  const [task, setTask] = useState<Task>();

  const by: SortKey = SORT_KEYS.find((key) => key === search.sortBy) ?? "name";
  const ascending = search.ascending ?? true;
  const shown = useMemo(
    () =>
      rows
        .filter(
          (cluster) => (!search.state || cluster.state === search.state) && matchesCluster(cluster, search.name ?? ""),
        )
        .sort(compareClusters(by, ascending)),
    [rows, search.state, search.name, by, ascending],
  );

  const hosts = shown.filter((cluster) => cluster.role === "host");
  const members = shown.filter((cluster) => cluster.role !== "host");
  const groups: Group<Cluster>[] = [];
  if (hosts.length) groups.push({ key: "host", title: t("clusters.host"), rows: hosts });
  if (members.length)
    groups.push({
      key: "members",
      title: t("clusters.members", { count: formatNumber(members.length) }),
      rows: members,
    });

  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });

  const content = () => {
    if (error && rows.length === 0) return <StatusScreen error={error} onRetry={retry} />;
    if (!ready && rows.length === 0) return <Skeleton label={t("clusters.loading")} />;
    if (rows.length === 0)
      return (
        <Empty icon="clusters" title={t("clusters.empty.title")} action={<AddLink />}>
          {t("clusters.empty.text")}
        </Empty>
      );
    if (shown.length === 0)
      return (
        <Empty
          icon="search"
          title={t("clusters.none.title")}
          action={<Button onClick={() => void navigate({ search: {}, replace: true })}>{t("list.clear")}</Button>}
        >
          {t("clusters.none.text", { count: rows.length })}
        </Empty>
      );
    return (
      <Table
        label={t("clusters.title")}
        columns={clusterColumns(t)}
        groups={groups}
        keyOf={(cluster) => cluster.name}
        sort={{ by, ascending }}
        onSort={(sort) => change({ sortBy: sort.by, ascending: sort.ascending })}
        stale={(cluster) => cluster.state === "Offline"}
        detail={(cluster) => cluster.state !== "Ready" && <Why cluster={cluster} onTask={setTask} />}
        actions={(cluster) => <RowMenu cluster={cluster} onTask={setTask} />}
        actionsLabel={t("list.actions")}
      />
    );
  };

  return (
    <PageFrame title={t("clusters.title")} subtitle={t("clusters.subtitle")} actions={<AddLink />}>
      <Card flush>
        <div className={styles.toolbar}>
          <label className={styles.search}>
            <Icon name="search" />
            <input
              type="search"
              aria-label={t("clusters.filter")}
              placeholder={t("clusters.filter")}
              value={search.name ?? ""}
              onChange={(event) => change({ name: event.target.value })}
            />
          </label>
          <Select
            aria-label={t("cluster.status")}
            value={search.state ?? ""}
            options={[["", t("list.anyStatus")], ...STATES.map((state) => [state, t(STATE_MESSAGE[state])] as const)]}
            onChange={(event) => change({ state: event.target.value })}
          />
          <span className={styles.summary}>
            {rows.length > 0 && <span>{t("clusters.count", { count: rows.length })}</span>}
            <LiveMark />
          </span>
        </div>
        {content()}
      </Card>
      <TaskDialog task={task} onClose={() => setTask(undefined)} />
    </PageFrame>
  );
}

/** The second line: what keeps the cluster from being ready, and what can be done here. */
function Why({ cluster, onTask }: { cluster: Cluster; onTask(task: Task): void }) {
  const t = useT();
  const why = whyNotReady(cluster);
  return (
    <span className={styles.why}>
      <span lang={why ? "en" : undefined}>
        {why ?? t(cluster.state === "Pending" ? "cluster.why.pending" : "cluster.why.unknown")}
      </span>
      {cluster.state === "Offline" && (
        <Button kind="quiet" size="small" onClick={() => onTask({ kind: "credential", cluster })}>
          {t("cluster.credential")}
        </Button>
      )}
    </span>
  );
}
