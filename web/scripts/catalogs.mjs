// Writes src/i18n/ids.ts from en.json: every message id with the type of its values, so that a missing id or a
// forgotten value is a type error. With --check it writes nothing and fails when the file or a translation is stale.
import { readFile, writeFile } from "node:fs/promises";
import { placeholders } from "./placeholders.mjs";

const folder = new URL("../src/i18n/", import.meta.url);
const locales = ["en", "zh-CN"];
const check = process.argv.includes("--check");
const problems = [];

const catalogs = Object.fromEntries(
  await Promise.all(
    locales.map(async (locale) => [locale, JSON.parse(await readFile(new URL(`${locale}.json`, folder), "utf8"))]),
  ),
);

const source = catalogs.en;
for (const [locale, catalog] of Object.entries(catalogs)) {
  for (const id of Object.keys(source)) {
    if (!catalog[id]?.trim()) problems.push(`${locale}.json: ${id} is missing or empty`);
    else if (JSON.stringify(placeholders(catalog[id])) !== JSON.stringify(placeholders(source[id])))
      problems.push(`${locale}.json: ${id} has other placeholders than en.json`);
  }
  for (const id of Object.keys(catalog)) if (!(id in source)) problems.push(`${locale}.json: ${id} is not in en.json`);
}

const lines = Object.entries(source).map(([id, text]) => {
  const values = placeholders(text);
  const type = values.length ? `{ ${values.map(([name, kind]) => `${name}: ${kind}`).join("; ")} }` : "undefined";
  return `  ${JSON.stringify(id)}: ${type};`;
});
const generated = `// Written by scripts/catalogs.mjs from en.json.
export interface Messages {
${lines.join("\n")}
}

export type MessageId = keyof Messages;

/** Ids of messages that need no values. */
export type PlainId = { [Id in MessageId]: Messages[Id] extends undefined ? Id : never }[MessageId];
`;

const target = new URL("ids.ts", folder);
const present = await readFile(target, "utf8").catch(() => "");
if (check && present !== generated) problems.push("src/i18n/ids.ts is stale: run `npm run catalogs`");
if (!check) await writeFile(target, generated);

if (problems.length) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`catalogs: ${Object.keys(source).length} messages in ${locales.join(" and ")}`);
