import { formatDateTime, formatRelative } from "../i18n/format";
import { useT } from "../i18n/i18n";
import { Time } from "../ui/time";

/** A time from the server, or a dash. */
export function When({ value }: { value: string | null | undefined }) {
  useT();
  return value ? <Time value={value} relative={formatRelative} absolute={formatDateTime} /> : <>–</>;
}
