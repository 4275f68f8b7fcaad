// The placeholders of one ICU message: [name, TypeScript type], sorted, each once.
import { compileMessage } from "@lingui/message-utils/compileMessage";

/** @param {string} message @returns {[string, string][]} */
export function placeholders(message) {
  /** @type {Map<string, string>} */
  const found = new Map();
  /** @param {unknown} token */
  const walk = (token) => {
    if (!Array.isArray(token)) return;
    const [name, format, options] = token;
    if (typeof name === "string" && name !== "#") {
      const kind =
        format === "plural" || format === "selectordinal" || format === "number" ? "number" : "string | number";
      if (found.get(name) !== "number") found.set(name, kind);
    }
    if (options && typeof options === "object") {
      for (const branch of Object.values(options)) if (Array.isArray(branch)) branch.forEach(walk);
    }
  };
  const compiled = compileMessage(message);
  if (Array.isArray(compiled)) compiled.forEach(walk);
  return [...found].sort(([a], [b]) => a.localeCompare(b));
}
