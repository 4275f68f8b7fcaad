import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { useT } from "../i18n/i18n";
import { buttonClass } from "../ui/button";
import { Empty } from "../ui/layout";

export function NotFound() {
  const t = useT();
  useEffect(() => {
    document.title = t("page.title", { page: t("notFound.title") });
  }, [t]);
  return (
    <main>
      <Empty
        page
        icon="search"
        title={t("notFound.title")}
        action={
          <Link to="/clusters" className={buttonClass("primary")}>
            {t("notFound.action")}
          </Link>
        }
      >
        {t("notFound.text")}
      </Empty>
    </main>
  );
}
