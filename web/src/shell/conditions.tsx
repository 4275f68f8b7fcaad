import type { Condition } from "../api/types";
import { useT } from "../i18n/i18n";
import { type Verdict, verdict } from "../kube/conditions";
import { State, type Tone } from "../ui/badge";
import styles from "./conditions.module.css";
import { When } from "./when";

const TONE: Record<Verdict, Tone> = { good: "ok", bad: "bad", unknown: "idle" };

export function Conditions({ conditions }: { conditions: readonly Condition[] }) {
  const t = useT();
  if (conditions.length === 0) return <p className={styles.none}>{t("conditions.none")}</p>;
  return (
    <ul className={styles.conditions}>
      {conditions.map((condition) => (
        <li key={condition.type}>
          <div className={styles.head}>
            <State tone={TONE[verdict(condition)]}>
              {condition.type}: {condition.status}
            </State>
            <span className={styles.when}>
              <When value={condition.lastTransitionTime} />
            </span>
          </div>
          {(condition.reason || condition.message) && (
            <p className={styles.text} lang="en">
              {condition.reason && <code>{condition.reason}</code>} {condition.message}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
