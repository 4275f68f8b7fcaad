// Labels: what `key=value` stands for, and the change from one set to another.
import { isLabelKey, isLabelValue } from "./names";

export type Labels = Readonly<Record<string, string>>;

/** The label that `key=value` stands for, or undefined when Kubernetes would refuse it. */
export function parseLabel(text: string): [key: string, value: string] | undefined {
  const [key = "", ...rest] = text.trim().split("=");
  const value = rest.join("=").trim();
  return isLabelKey(key.trim()) && isLabelValue(value) ? [key.trim(), value] : undefined;
}

/** The merge patch that turns one set of labels into another. */
export function labelsPatch(before: Labels, after: Labels): Record<string, string | null> {
  const gone = Object.keys(before).filter((key) => !(key in after));
  return { ...after, ...Object.fromEntries(gone.map((key) => [key, null])) };
}
