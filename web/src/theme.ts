// The chosen colour scheme. "system" stores nothing and follows the operating system.
export type Theme = "system" | "light" | "dark";

const STORAGE = "atoll.theme";
const listeners = new Set<() => void>();

export function currentTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function setTheme(theme: Theme) {
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(STORAGE);
  } else {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(STORAGE, theme);
  }
  for (const listener of listeners) listener();
}

export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
