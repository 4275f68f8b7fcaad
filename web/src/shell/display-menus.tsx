import { useSyncExternalStore } from "react";
import { chooseLocale, i18n, LOCALES, type Locale, useT } from "../i18n/i18n";
import { currentTheme, onThemeChange, setTheme, type Theme } from "../theme";
import { IconButton } from "../ui/button";
import { Menu, MenuChoice } from "../ui/menu";

const LANGUAGES: readonly { value: Locale; text: string; lang: string }[] = [
  { value: "en", text: LOCALES.en, lang: "en" },
  { value: "zh-CN", text: LOCALES["zh-CN"], lang: "zh-CN" },
];

function activeLocale(): Locale {
  return i18n.locale === "zh-CN" ? "zh-CN" : "en";
}

export function LanguageMenu() {
  const t = useT();
  return (
    <Menu trigger={<IconButton icon="globe" label={t("shell.language")} />}>
      <MenuChoice
        label={t("shell.language")}
        value={activeLocale()}
        options={LANGUAGES}
        onChoose={(locale) => void chooseLocale(locale)}
      />
    </Menu>
  );
}

const THEME_ICON = { system: "screen", light: "sun", dark: "moon" } as const;

export function ThemeMenu() {
  const t = useT();
  const theme = useSyncExternalStore(onThemeChange, currentTheme);
  const options: readonly { value: Theme; text: string; icon: (typeof THEME_ICON)[Theme] }[] = [
    { value: "system", text: t("shell.theme.system"), icon: THEME_ICON.system },
    { value: "light", text: t("shell.theme.light"), icon: THEME_ICON.light },
    { value: "dark", text: t("shell.theme.dark"), icon: THEME_ICON.dark },
  ];
  return (
    <Menu trigger={<IconButton icon={THEME_ICON[theme]} label={t("shell.theme")} />}>
      <MenuChoice label={t("shell.theme")} value={theme} options={options} onChoose={setTheme} />
    </Menu>
  );
}
