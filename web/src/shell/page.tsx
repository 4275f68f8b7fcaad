import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import { useT } from "../i18n/i18n";
import { Icon } from "../ui/icon";
import styles from "./page.module.css";

let navigated = false;

/** The page that this one belongs to. */
export type Crumb =
  | { to: "/clusters" | "/federated"; text: string }
  | { to: "/federated/$resource"; params: { resource: string }; text: string };

interface PageProps {
  title: string;
  /** What stands beside the title: state, tags. */
  beside?: ReactNode;
  subtitle?: ReactNode;
  crumb?: Crumb;
  actions?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}

/** A page's frame: its title is the document's title, and takes the focus when one comes here from another page. */
export function PageFrame({ title, beside, subtitle, crumb, actions, narrow = false, children }: PageProps) {
  const t = useT();
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = t("page.title", { page: title });
  }, [t, title]);

  useEffect(() => {
    if (navigated && !document.querySelector("[role=dialog]")) heading.current?.focus({ preventScroll: true });
    navigated = true;
  }, []);

  return (
    <div className={narrow ? styles.narrow : styles.page}>
      <header className={styles.header}>
        <div className={styles.titles}>
          {crumb && (
            <nav aria-label={t("page.crumbs")} className={styles.crumbs}>
              {"params" in crumb ? (
                <Link to={crumb.to} params={crumb.params}>
                  {crumb.text}
                </Link>
              ) : (
                <Link to={crumb.to}>{crumb.text}</Link>
              )}
              <Icon name="right" size={12} />
            </nav>
          )}
          <div className={styles.title}>
            <h1 ref={heading} tabIndex={-1}>
              {title}
            </h1>
            {beside}
          </div>
          {subtitle && <p className={styles.subtitle}>{subtitle}</p>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}
