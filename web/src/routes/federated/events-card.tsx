import { useQuery } from "@tanstack/react-query";
import { eventsQuery, type Place } from "../../api/queries/federated";
import type { FederatedEvent } from "../../api/types";
import { formatNumber } from "../../i18n/format";
import { type Translate, useT } from "../../i18n/i18n";
import { StatusNote } from "../../shell/status-note";
import { When } from "../../shell/when";
import { type Column, Table } from "../../table/table";
import { State } from "../../ui/badge";
import { Card, Muted } from "../../ui/layout";
import styles from "./detail.module.css";

function columns(t: Translate): Column<FederatedEvent>[] {
  return [
    {
      key: "reason",
      title: t("events.reason"),
      cell: (event) => <State tone={event.warning ? "warn" : "info"}>{event.reason}</State>,
    },
    {
      key: "message",
      title: t("events.message"),
      cell: (event) => (
        <span lang="en" className={styles.words}>
          {event.message}
        </span>
      ),
    },
    { key: "count", title: t("events.count"), numeric: true, minor: true, cell: (event) => formatNumber(event.count) },
    { key: "last", title: t("events.last"), cell: (event) => <When value={event.lastAt} /> },
  ];
}

/** What happened to the object, the latest first. */
export function EventsCard({ place }: { place: Place }) {
  const t = useT();
  const events = useQuery(eventsQuery(place));
  const rows = events.data ?? [];
  return (
    <Card title={t("events.title")} flush>
      {events.error ? (
        <StatusNote error={events.error} />
      ) : rows.length === 0 ? (
        <p className={styles.none}>
          <Muted>{t("events.none")}</Muted>
        </p>
      ) : (
        <Table
          label={t("events.title")}
          columns={columns(t)}
          groups={[{ key: "all", rows }]}
          keyOf={(event) => `${event.reason} ${event.message} ${event.firstAt}`}
        />
      )}
    </Card>
  );
}
