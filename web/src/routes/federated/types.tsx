import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { typesQuery } from "../../api/queries/federated";
import type { FederatedType } from "../../api/types";
import { type Translate, useT } from "../../i18n/i18n";
import { pluralOf } from "../../kube/kinds";
import { PageFrame } from "../../shell/page";
import { StatusScreen } from "../../shell/status-note";
import { type Column, Table } from "../../table/table";
import { State } from "../../ui/badge";
import { Card, Skeleton } from "../../ui/layout";

function columns(t: Translate): Column<FederatedType>[] {
  return [
    {
      key: "kind",
      title: t("types.kind"),
      cell: ({ resource, target }) => (
        <Link to="/federated/$resource" params={{ resource }}>
          {pluralOf(target.kind)}
        </Link>
      ),
    },
    { key: "group", title: t("types.group"), cell: ({ target }) => target.group || "–" },
    { key: "federated", title: t("types.federated"), cell: ({ kind }) => <code>{kind}</code> },
    {
      key: "short",
      title: "kubectl",
      minor: true,
      cell: ({ shortNames }) => <code>{shortNames.join(", ") || "–"}</code>,
    },
    {
      key: "scope",
      title: t("types.scope"),
      minor: true,
      cell: ({ target }) => t(target.namespaced ? "types.scope.namespace" : "types.scope.cluster"),
    },
    {
      key: "replicas",
      title: t("types.replicas"),
      minor: true,
      cell: ({ hasReplicas }) => (hasReplicas ? t("types.replicas.yes") : "–"),
    },
    {
      key: "propagated",
      title: t("types.state"),
      cell: ({ propagated }) => (
        <State tone={propagated ? "ok" : "idle"}>{t(propagated ? "types.on" : "types.off")}</State>
      ),
    },
  ];
}

/** Every type that the hub federates now, run-time types included. */
export function Page() {
  const t = useT();
  const types = useQuery(typesQuery);
  return (
    <PageFrame title={t("types.title")} subtitle={t("types.subtitle")}>
      {types.error ? (
        <StatusScreen error={types.error} onRetry={() => void types.refetch()} />
      ) : types.data ? (
        <Card flush>
          <Table
            label={t("types.title")}
            columns={columns(t)}
            groups={[{ key: "all", rows: types.data }]}
            keyOf={({ resource }) => resource}
          />
        </Card>
      ) : (
        <Skeleton label={t("types.loading")} />
      )}
    </PageFrame>
  );
}
