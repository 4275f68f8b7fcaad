import { useSyncExternalStore } from "react";
import { chooseLocale, i18n, LOCALES, useT } from "../i18n/i18n";
import { currentTheme, onThemeChange, setTheme } from "../theme";
import { Select } from "../ui/field";
import { Row } from "../ui/layout";

/** Language and theme as plain lists, for the page before sign-in: it is to load fast. */
export function DisplaySelects() {
  const t = useT();
  const theme = useSyncExternalStore(onThemeChange, currentTheme);
  return (
    <Row>
      <Select
        aria-label={t("shell.language")}
        value={i18n.locale}
        options={[
          ["en", LOCALES.en],
          ["zh-CN", LOCALES["zh-CN"]],
        ]}
        onChange={(event) => void chooseLocale(event.target.value === "zh-CN" ? "zh-CN" : "en")}
      />
      <Select
        aria-label={t("shell.theme")}
        value={theme}
        options={[
          ["system", t("shell.theme.system")],
          ["light", t("shell.theme.light")],
          ["dark", t("shell.theme.dark")],
        ]}
        onChange={({ target: { value } }) => setTheme(value === "light" || value === "dark" ? value : "system")}
      />
    </Row>
  );
}
