import type { ReactNode } from "react";
import { Icon, type IconName } from "./icon";
import styles from "./layout.module.css";

interface CardProps {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  flush?: boolean;
}

export function Card({ title, actions, children, flush = false }: CardProps) {
  return (
    <section className={styles.card}>
      {(title || actions) && (
        <header className={styles.cardHeader}>
          {title && <h2>{title}</h2>}
          {actions && <div className={styles.row}>{actions}</div>}
        </header>
      )}
      <div className={flush ? styles.cardFlush : styles.cardBody}>{children}</div>
    </section>
  );
}

/** Facts as names and values. */
export function Facts({ items }: { items: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={styles.facts}>
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface EmptyProps {
  icon: IconName;
  title: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
  /** It is the whole page, so its title is the page's. */
  page?: boolean;
}

/** The fact, then the next step. */
export function Empty({ icon, title, children, action, page = false }: EmptyProps) {
  const Title = page ? "h1" : "h2";
  return (
    <div className={styles.empty}>
      <span className={styles.emptyIcon}>
        <Icon name={icon} size={24} />
      </span>
      <Title className={styles.emptyTitle}>{title}</Title>
      {children && <div className={styles.emptyText}>{children}</div>}
      {action}
    </div>
  );
}

/** Grey lines where rows will be. They appear only when the wait is noticeable. */
export function Skeleton({ label, rows = 5 }: { label: string; rows?: number }) {
  return (
    <div className={styles.skeleton} role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike.
        <span key={index} />
      ))}
    </div>
  );
}

interface MeterProps {
  value: number;
  max: number;
  text: string;
  tone?: "ok" | "warn" | "accent";
}

/** A share as bar and text; the text alone says it all. */
export function Meter({ value, max, text, tone = "accent" }: MeterProps) {
  const share = max > 0 ? Math.min(1, value / max) : 0;
  return (
    <span className={styles.meter}>
      <span className={styles.track} aria-hidden="true">
        <span className={styles[tone]} style={{ inlineSize: `${share * 100}%` }} />
      </span>
      <span>{text}</span>
    </span>
  );
}

export function Row({ children }: { children: ReactNode }) {
  return <div className={styles.row}>{children}</div>;
}

export function Stack({ children }: { children: ReactNode }) {
  return <div className={styles.stack}>{children}</div>;
}

export function Muted({ children }: { children: ReactNode }) {
  return <span className={styles.muted}>{children}</span>;
}
