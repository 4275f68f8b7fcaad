// Numbers, times and quantities in the current language.
import { i18n } from "./i18n";

const DIVISIONS: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
  [12, "month"],
  [Number.POSITIVE_INFINITY, "year"],
];

export function formatRelative(time: string, now: number = Date.now()): string {
  let distance = (Date.parse(time) - now) / 1000;
  if (Number.isNaN(distance)) return "–";
  if (Math.abs(distance) < 5)
    return new Intl.RelativeTimeFormat(i18n.locale, { numeric: "auto", style: "short" }).format(0, "second");
  // Always a number: "last year" may be a month ago or 23.
  const format = new Intl.RelativeTimeFormat(i18n.locale, { numeric: "always", style: "short" });
  for (const [size, unit] of DIVISIONS) {
    if (Math.abs(distance) < size) return format.format(Math.trunc(distance), unit);
    distance /= size;
  }
  return "–";
}

/** Time to wait, as people read a clock: "45 seconds", "14:32", "1:00:05". */
export function formatWait(seconds: number): string {
  if (seconds < 60)
    return new Intl.NumberFormat(i18n.locale, { style: "unit", unit: "second", unitDisplay: "long" }).format(seconds);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

export function formatDateTime(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "–";
  return new Intl.DateTimeFormat(i18n.locale, { dateStyle: "medium", timeStyle: "medium" }).format(date);
}

export function formatNumber(value: number, maximumFractionDigits = 0): string {
  return new Intl.NumberFormat(i18n.locale, { maximumFractionDigits }).format(value);
}

export function formatPercent(share: number): string {
  return new Intl.NumberFormat(i18n.locale, { style: "percent", maximumFractionDigits: 0 }).format(share);
}

export function formatMillis(value: number): string {
  return value < 1 ? "< 1 ms" : `${formatNumber(value)} ms`;
}

/** Processor time as cores: 1500 → "1.5". */
export function formatCpu(millis: number): string {
  return formatNumber(millis / 1000, millis < 10_000 ? 2 : 0);
}

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Memory in the binary units that Kubernetes counts in. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BINARY.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${formatNumber(value, value < 10 ? 1 : 0)} ${BINARY[unit]}`;
}

export function formatList(items: readonly string[]): string {
  return new Intl.ListFormat(i18n.locale, { style: "short", type: "conjunction" }).format(items);
}

/** Names in the order a reader expects: eu-2 before eu-10. */
export function compareNames(a: string, b: string): number {
  return new Intl.Collator(i18n.locale, { numeric: true }).compare(a, b);
}
