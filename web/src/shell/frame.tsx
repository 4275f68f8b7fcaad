import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { DEPLOYMENTS } from "../api/queries/federated";
import { meQuery, signOut } from "../api/queries/session";
import { useT } from "../i18n/i18n";
import { stream } from "../live/page-stream";
import { endSession } from "../session";
import { IconButton } from "../ui/button";
import { Icon, type IconName } from "../ui/icon";
import { Mark } from "../ui/mark";
import { Menu, MenuHeading, MenuItem, MenuSeparator } from "../ui/menu";
import { Toasts } from "../ui/toast";
import { LanguageMenu, ThemeMenu } from "./display-menus";
import styles from "./frame.module.css";
import { HoldBanner } from "./hold-banner";
import { StatusScreen } from "./status-note";

function NavLink({ to, icon, text }: { to: "/clusters" | "/federated"; icon: IconName; text: string }) {
  return (
    <li>
      <Link
        to={to}
        className={styles.link}
        activeOptions={{ exact: to === "/federated" }}
        activeProps={{ className: styles.active, "aria-current": "page" }}
      >
        <Icon name={icon} />
        {text}
      </Link>
    </li>
  );
}

/** Types that are used most have a line of their own. Their names are Kubernetes' words. */
const NAMED: readonly (readonly [resource: string, icon: IconName, text: string])[] = [
  [DEPLOYMENTS, "workloads", "Deployments"],
  ["services", "globe", "Services"],
  ["configmaps", "edit", "ConfigMaps"],
  ["secrets", "lock", "Secrets"],
  ["namespaces", "screen", "Namespaces"],
];

function Nav({ version }: { version: string | undefined }) {
  const t = useT();
  return (
    <nav aria-label={t("nav.label")} className={styles.navInner}>
      <ul>
        <NavLink to="/clusters" icon="clusters" text={t("nav.clusters")} />
      </ul>
      <h2 className={styles.navHeading}>{t("nav.federated")}</h2>
      <ul>
        {NAMED.map(([resource, icon, text]) => (
          <li key={resource}>
            <Link
              to="/federated/$resource"
              params={{ resource }}
              className={styles.link}
              activeProps={{ className: styles.active, "aria-current": "page" }}
            >
              <Icon name={icon} />
              {text}
            </Link>
          </li>
        ))}
        <NavLink to="/federated" icon="menu" text={t("nav.types")} />
      </ul>
      {version && <p className={styles.version}>Atoll {version}</p>}
    </nav>
  );
}

function UserMenu({ name, display }: { name: string; display: string }) {
  const t = useT();
  const navigate = useNavigate();
  const leave = async () => {
    // The page forgets the key even when the hub cannot be told; its cookie alone opens nothing.
    await signOut().catch(() => undefined);
    endSession("left");
    await navigate({ to: "/login" });
  };
  return (
    <Menu
      trigger={
        <button type="button" className={styles.user}>
          <span className={styles.avatar} aria-hidden="true">
            {display.slice(0, 1).toUpperCase()}
          </span>
          <span className={styles.userName}>{display}</span>
          <Icon name="down" size={12} />
        </button>
      }
    >
      <MenuHeading>{t("shell.signedInAs", { name })}</MenuHeading>
      <MenuItem icon="key" onSelect={() => void navigate({ to: "/account" })}>
        {t("shell.account")}
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon="signOut" onSelect={() => void leave()}>
        {t("shell.signOut")}
      </MenuItem>
    </Menu>
  );
}

export function Frame() {
  const t = useT();
  const me = useQuery(meQuery);
  const { pathname } = useLocation();
  const [openAt, setOpenAt] = useState<string>();
  const open = openAt === pathname;

  useEffect(() => stream.resume(), []);

  return (
    <div className={styles.frame}>
      <a href="#content" className={styles.skip}>
        {t("shell.skip")}
      </a>
      <header className={styles.bar}>
        <IconButton
          icon={open ? "close" : "menu"}
          label={t("shell.menu")}
          className={styles.burger}
          aria-expanded={open}
          onClick={() => setOpenAt(open ? undefined : pathname)}
        />
        <Link to="/clusters" className={styles.brand}>
          <Mark />
          <span>Atoll</span>
        </Link>
        {me.data?.hub.demo && <span className={styles.demo}>{t("shell.demo")}</span>}
        <div className={styles.tools}>
          <LanguageMenu />
          <ThemeMenu />
          {me.data && <UserMenu name={me.data.user.name} display={me.data.user.displayName || me.data.user.name} />}
        </div>
      </header>
      <div className={styles.nav} data-open={open || undefined}>
        <Nav version={me.data?.hub.version} />
      </div>
      <main id="content" className={styles.content} tabIndex={-1}>
        {me.data && <HoldBanner />}
        {me.error ? <StatusScreen error={me.error} onRetry={() => void me.refetch()} /> : <Outlet key={pathname} />}
      </main>
      <Toasts label={t("shell.notices")} dismissLabel={t("action.dismiss")} />
    </div>
  );
}
