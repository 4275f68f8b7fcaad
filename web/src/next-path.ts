const HOME = "/clusters";

/** Where to go after signing in: a path of this console, never another site. */
export function nextPath(wanted: string | undefined, origin: string): string {
  if (!wanted?.startsWith("/") || !URL.canParse(wanted, origin)) return HOME;
  const url = new URL(wanted, origin);
  // "//host" and "/\\host" begin with a slash and still lead elsewhere.
  return url.origin === origin ? url.pathname + url.search + url.hash : HOME;
}
