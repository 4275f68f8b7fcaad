import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { holdQuery } from "../../api/queries/holds";
import type { Hold, HoldAnswer, HoldDetail } from "../../api/types";
import { formatNumber } from "../../i18n/format";
import { type Translate, useT } from "../../i18n/i18n";
import { StatusScreen } from "../../shell/status-note";
import { type Column, Table } from "../../table/table";
import { Note, Tag } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Card, Facts, Row, Skeleton } from "../../ui/layout";
import styles from "./detail.module.css";
import { HoldDialog } from "./hold-dialog";

type Going = HoldDetail["objects"][number];

/** A list of thousands helps nobody to decide. */
const SHOWN = 200;

const titleOf = (namespace: string, name: string) => (namespace ? `${namespace}/${name}` : name);

function columns(t: Translate): Column<Going>[] {
  return [
    { key: "kind", title: t("types.kind"), cell: (object) => object.kind },
    {
      key: "name",
      title: t("federated.name"),
      cell: ({ resource, namespace, name }) =>
        resource ? (
          <Link to="/federated/$resource/$namespace/$name" params={{ resource, namespace: namespace || "-", name }}>
            {titleOf(namespace, name)}
          </Link>
        ) : (
          titleOf(namespace, name)
        ),
    },
    { key: "cluster", title: t("federated.cluster"), cell: (object) => object.cluster },
  ];
}

function Cause({ cause }: { cause: Hold["cause"] }) {
  const t = useT();
  const { type, resource, namespace, name, cluster } = cause;
  if (cluster && type === "cluster")
    return (
      <>
        {t("hold.cause.cluster")}{" "}
        <Link to="/clusters/$name" params={{ name: cluster }}>
          {cluster}
        </Link>
      </>
    );
  const title = namespace && namespace !== name ? `${namespace}/${name}` : name;
  return (
    <>
      {t(
        type === "object" ? "hold.cause.object" : type === "leftover" ? "hold.cause.leftover" : "hold.cause.namespace",
      )}{" "}
      {resource && name ? (
        <Link to="/federated/$resource/$namespace/$name" params={{ resource, namespace: namespace || "-", name }}>
          {title}
        </Link>
      ) : (
        title
      )}
    </>
  );
}

/** A change that waits: where it was made, what would go, and the three answers. */
export function HoldCard({ id, onAnswered }: { id: string; onAnswered(): void }) {
  const t = useT();
  const [answer, setAnswer] = useState<HoldAnswer>();
  const detail = useQuery(holdQuery(id));
  if (detail.error) return <StatusScreen error={detail.error} onRetry={() => void detail.refetch()} />;
  if (!detail.data) return <Skeleton label={t("hold.loading")} />;
  const { summary, objects, undo } = detail.data;
  return (
    <Card title={t("hold.title", { count: summary.deletes })} flush>
      <div className={styles.hold}>
        <Note tone="warn">
          <span lang="en">{summary.message}</span>
        </Note>
        <Facts
          items={[
            [t("hold.cause"), <Cause key="cause" cause={summary.cause} />],
            [
              t("federated.clusters"),
              <Row key="clusters">
                {summary.clusters.map((cluster) => (
                  <Tag key={cluster.name}>
                    {cluster.name}: {formatNumber(cluster.deletes)}
                  </Tag>
                ))}
              </Row>,
            ],
            [
              t("hold.undo"),
              <span key="undo" lang="en" className={styles.words}>
                {undo.message}
              </span>,
            ],
          ]}
        />
        <Row>
          <Button reason={undo.possible ? undefined : undo.message} onClick={() => setAnswer("undo")}>
            {t("hold.undo.open")}
          </Button>
          <Button onClick={() => setAnswer("orphan")}>{t("hold.orphan.open")}</Button>
          <Button kind="danger" onClick={() => setAnswer("delete")}>
            {t("hold.delete.open", { count: summary.deletes })}
          </Button>
        </Row>
      </div>
      <Table
        label={t("hold.objects")}
        columns={columns(t)}
        groups={[{ key: "all", rows: objects.slice(0, SHOWN) }]}
        keyOf={(object) => `${object.kind} ${object.namespace}/${object.name} ${object.cluster}`}
      />
      {objects.length > SHOWN && <p className={styles.none}>{t("list.more", { count: objects.length - SHOWN })}</p>}
      {answer && (
        <HoldDialog
          hold={summary}
          answer={answer}
          undo={undo.message}
          onClose={() => setAnswer(undefined)}
          onAnswered={onAnswered}
        />
      )}
    </Card>
  );
}
