import { reasonMessage, stageHint, stageMessage, statusOf } from "../api/status";
import { formatWait } from "../i18n/format";
import { useT } from "../i18n/i18n";
import { Note } from "../ui/badge";
import { Button } from "../ui/button";
import { Empty } from "../ui/layout";
import styles from "./status-note.module.css";

function Explanation({ error }: { error: unknown }) {
  const t = useT();
  const status = statusOf(error);
  const details = status.details;
  const stage = details?.stage ? stageMessage(details.stage) : undefined;
  const hint = details?.stage ? stageHint(details.stage) : undefined;
  const causes = (details?.causes ?? []).filter((cause) => cause.message && cause.message !== status.message);
  return (
    <>
      {(stage || details?.cluster) && (
        <p className={styles.where}>
          {[details?.cluster && t("status.cluster", { cluster: details.cluster }), stage && t(stage)]
            .filter(Boolean)
            .join(" · ")}
        </p>
      )}
      {status.message && (
        <p className={styles.verbatim} lang="en">
          {status.message}
        </p>
      )}
      {causes.length > 0 && (
        <ul className={styles.causes} lang="en">
          {causes.map((cause) => (
            <li key={`${cause.field} ${cause.message}`}>
              {cause.field && <code>{cause.field}</code>} {cause.message}
            </li>
          ))}
        </ul>
      )}
      {details?.hint ? <p lang="en">{details.hint}</p> : hint && <p>{t(hint)}</p>}
      {details?.retryAfterSeconds && <p>{t("status.retryAfter", { time: formatWait(details.retryAfterSeconds) })}</p>}
    </>
  );
}

/** A failed call beside the control that made it. */
export function StatusNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useT();
  return (
    <Note tone="bad" role="alert">
      <strong>{t(reasonMessage(statusOf(error)))}</strong>
      <Explanation error={error} />
      {onRetry && (
        <div>
          <Button size="small" icon="refresh" onClick={onRetry}>
            {t("action.retry")}
          </Button>
        </div>
      )}
    </Note>
  );
}

/** A page that could not be shown: forbidden, gone or failed, each with its own face. */
export function StatusScreen({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useT();
  const status = statusOf(error);
  const icon = status.reason === "Forbidden" ? "lock" : status.reason === "NotFound" ? "search" : "offline";
  return (
    <div role="alert">
      <Empty
        icon={icon}
        title={t(reasonMessage(status))}
        action={
          onRetry &&
          status.reason !== "Forbidden" && (
            <Button icon="refresh" onClick={onRetry}>
              {t("action.retry")}
            </Button>
          )
        }
      >
        <Explanation error={error} />
      </Empty>
    </div>
  );
}
