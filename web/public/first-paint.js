// Runs before the first paint, so that a chosen theme or language never flashes the other one.
// It reads display preferences only.
(() => {
  try {
    const theme = localStorage.getItem("atoll.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    const locale = localStorage.getItem("atoll.locale");
    if (locale) document.documentElement.lang = locale;
  } catch {
    // Storage may be switched off: the system's theme and the browser's language are used then.
  }
})();
