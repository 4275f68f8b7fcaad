import { useT } from "../i18n/i18n";
import { useConnection } from "../live/use-rows";
import styles from "./live-mark.module.css";

/** Whether the rows on this page follow what happens. */
export function LiveMark() {
  const t = useT();
  const connection = useConnection();
  const live = connection === "live";
  return (
    <span
      className={styles.mark}
      data-live={live || undefined}
      title={live ? t("live.on.detail") : t("live.off.detail")}
    >
      <span className={styles.dot} aria-hidden="true" />
      {live ? t("live.on") : t("live.off")}
    </span>
  );
}
