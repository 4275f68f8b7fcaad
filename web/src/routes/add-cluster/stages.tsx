import { STAGE_ORDER, stageHint, stageMessage } from "../../api/status";
import type { StageLine } from "../../api/types";
import { formatMillis } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import type { PlainId } from "../../i18n/ids";
import { State, type Tone } from "../../ui/badge";
import styles from "./stages.module.css";

type Shown = StageLine["state"] | "waiting" | "skipped";

const LOOK: Record<Shown, { tone: Tone; message: PlainId }> = {
  waiting: { tone: "idle", message: "stage.state.waiting" },
  skipped: { tone: "idle", message: "stage.state.skipped" },
  running: { tone: "info", message: "stage.state.running" },
  ok: { tone: "ok", message: "stage.state.ok" },
  warning: { tone: "warn", message: "stage.state.warning" },
  failed: { tone: "bad", message: "stage.state.failed" },
};

/** The stages of a connection check, each as it ends. */
export function Stages({ lines, done }: { lines: readonly StageLine[]; done: boolean }) {
  const t = useT();
  const last = new Map(lines.map((line) => [line.stage, line]));
  const unnamed = [...last.keys()].filter((stage) => !STAGE_ORDER.includes(stage));
  return (
    <ol className={styles.stages} aria-label={t("stage.label")}>
      {[...STAGE_ORDER, ...unnamed].map((stage) => {
        const line = last.get(stage);
        const shown: Shown = line?.state ?? (done ? "skipped" : "waiting");
        const { tone, message } = LOOK[shown];
        const title = stageMessage(stage);
        const trouble = shown === "failed" || shown === "warning";
        const usual = shown === "failed" ? stageHint(stage) : undefined;
        const running = shown === "running";
        return (
          <li key={stage} data-state={shown}>
            <div className={styles.head}>
              <State
                tone={tone}
                spin={running}
                {...(running && { icon: "spinner" })}
                {...(shown === "skipped" && { icon: "idle" })}
              >
                {title ? t(title) : stage}
              </State>
              <span className={styles.result}>
                {line?.message && !trouble ? <span lang="en">{line.message}</span> : !trouble && t(message)}
                {trouble && t(message)}
              </span>
              {line?.durationMs != null && <span className={styles.took}>{formatMillis(line.durationMs)}</span>}
            </div>
            {trouble && line?.message && (
              <p className={styles.message} lang="en">
                {line.message}
              </p>
            )}
            {line?.hint ? (
              <p className={styles.hint} lang="en">
                {line.hint}
              </p>
            ) : (
              usual && <p className={styles.hint}>{t(usual)}</p>
            )}
          </li>
        );
      })}
    </ol>
  );
}
