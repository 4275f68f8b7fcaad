// Writes a JSON value as YAML. Reading YAML is the server's work; this is for showing objects.

/** Plain scalars that every YAML reader takes for a string. */
const PLAIN = /^[A-Za-z_/.][\w./@-]*(:[\w./@-]+)*$/;
const RESERVED = /^(true|false|null|yes|no|on|off|y|n|~|\.inf|\.nan|\.{1,3})$/i;

function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value ?? null);
  return PLAIN.test(value) && !RESERVED.test(value) && !/^\.\d/.test(value) ? value : JSON.stringify(value);
}

function isCollection(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return "[]";
  if (typeof value === "object" && value !== null) return "{}";
  return scalar(value);
}

function write(value: object, indent: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) => {
      if (!isCollection(item)) return [`${indent}- ${inline(item)}`];
      const [first = "", ...rest] = write(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    if (item === undefined) return [];
    const head = `${indent}${scalar(key)}:`;
    if (
      typeof item === "string" &&
      item.includes("\n") &&
      /^\S/.test(item) &&
      !/[^\n\x20-\x7e\u00a0-\uffff]/.test(item)
    ) {
      const body = item.replace(/\n$/, "").split("\n");
      const chomp = item.endsWith("\n\n") ? undefined : item.endsWith("\n") ? "|" : "|-";
      if (chomp) return [`${head} ${chomp}`, ...body.map((line) => (line ? `${indent}  ${line}` : ""))];
    }
    if (!isCollection(item)) return [`${head} ${inline(item)}`];
    return [head, ...write(item, Array.isArray(item) ? indent : `${indent}  `)];
  });
}

export function toYaml(value: object): string {
  return `${write(value, "").join("\n")}\n`;
}
