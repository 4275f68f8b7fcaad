import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { holdsQuery } from "../api/queries/holds";
import type { Hold } from "../api/types";
import { formatList } from "../i18n/format";
import { useT } from "../i18n/i18n";
import { Note } from "../ui/badge";
import styles from "./hold-banner.module.css";

/** What is changed in a hold, by name. */
export function holdSubject(hold: Hold): string {
  const { cluster, namespace, name } = hold.cause;
  return cluster ?? (!namespace || namespace === name ? (name ?? "") : `${namespace}/${name}`);
}

/** Says on every page that deletions wait for an answer. */
export function HoldBanner() {
  const t = useT();
  const holds = useQuery(holdsQuery);
  if (!holds.data?.length) return null;
  return (
    <section className={styles.banner} aria-label={t("hold.banner.label")}>
      {holds.data.map((hold) => (
        <Note key={hold.id} tone="warn" role="status">
          <span>
            {t("hold.banner", {
              count: hold.deletes,
              clusters: formatList(hold.clusters.map((cluster) => cluster.name)),
              subject: holdSubject(hold),
            })}{" "}
            <Link to="/federated/held/$id" params={{ id: hold.id }}>
              {t("hold.banner.open")}
            </Link>
          </span>
        </Note>
      ))}
    </section>
  );
}
