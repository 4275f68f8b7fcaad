// What Kubernetes accepts as a name.

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const IMAGE = /^[\w.-]+(:\d+)?(\/[\w.-]+)*(:[\w.-]+)?(@[a-z0-9]+:[a-f0-9]+)?$/i;

export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

export function isLabelValue(text: string): boolean {
  return text.length <= 63 && LABEL_VALUE.test(text);
}

export function isLabelKey(text: string): boolean {
  const slash = text.indexOf("/");
  const name = slash < 0 ? text : text.slice(slash + 1);
  const prefixOk = slash < 0 || (slash <= 253 && SUBDOMAIN.test(text.slice(0, slash)));
  return prefixOk && name.length <= 63 && QUALIFIED.test(name);
}

export function isImage(text: string): boolean {
  return text.length <= 1024 && IMAGE.test(text);
}

/** A cluster name made of what a kubeconfig calls it: lower case, with dashes, at most 63 characters. */
export function suggestName(text: string): string {
  const tail = text.split(/[/@]/).at(-1) ?? text;
  return tail
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
}
