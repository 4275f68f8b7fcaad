// Compiles a message catalog when it is imported as `x.json?catalog`, so that the ICU parser never reaches the browser.
import { readFile } from "node:fs/promises";
import { compileMessage } from "@lingui/message-utils/compileMessage";

/** @returns {import("vite").Plugin} */
export function catalogs() {
  return {
    name: "atoll-catalogs",
    enforce: "pre",
    async load(id) {
      if (!id.endsWith(".json?catalog")) return null;
      const file = id.slice(0, -"?catalog".length);
      this.addWatchFile(file);
      const source = JSON.parse(await readFile(file, "utf8"));
      const compiled = Object.fromEntries(Object.entries(source).map(([key, text]) => [key, compileMessage(text)]));
      return `export const messages = JSON.parse(${JSON.stringify(JSON.stringify(compiled))});`;
    },
  };
}
