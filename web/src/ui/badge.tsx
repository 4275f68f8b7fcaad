import type { ReactNode } from "react";
import styles from "./badge.module.css";
import { Icon, type IconName } from "./icon";

export type Tone = "ok" | "warn" | "bad" | "info" | "idle";

const ICON: Record<Tone, IconName> = { ok: "ready", warn: "degraded", bad: "offline", info: "info", idle: "pending" };

interface StateProps {
  tone: Tone;
  icon?: IconName;
  spin?: boolean;
  children: ReactNode;
}

/** A state as shape, text and colour. */
export function State({ tone, icon, spin = false, children }: StateProps) {
  return (
    <span className={`${styles.state} ${styles[tone]}`}>
      <Icon name={icon ?? ICON[tone]} dashed={tone === "idle" && !icon} spin={spin} />
      <span>{children}</span>
    </span>
  );
}

/** A small word beside a name. */
export function Tag({ children, tone }: { children: ReactNode; tone?: "accent" | undefined }) {
  return <span className={tone === "accent" ? styles.accentTag : styles.tag}>{children}</span>;
}

/** A message that stays: what happened, and what to do. */
export function Note({ tone, children, role }: { tone: Tone; children: ReactNode; role?: "alert" | "status" }) {
  return (
    <div className={`${styles.note} ${styles[tone]}`} role={role}>
      <Icon name={ICON[tone]} />
      <div className={styles.noteBody}>{children}</div>
    </div>
  );
}
