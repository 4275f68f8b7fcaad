// Writes src/api/schema.d.ts from openapi/console.json. With --check it writes nothing and fails when the file is stale.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const source = new URL("../../../openapi/console.json", import.meta.url);
const target = new URL("../../src/api/schema.d.ts", import.meta.url);

const head = "// Written by tools/api-types from openapi/console.json.\n";
const generated = head + astToString(await openapiTS(source, { alphabetize: true, emptyObjectsUnknown: true }));

if (process.argv.includes("--check")) {
  const present = await readFile(target, "utf8").catch(() => "");
  if (present !== generated) {
    console.error("src/api/schema.d.ts is stale: run `npm run api-types` in web");
    process.exit(1);
  }
} else {
  await writeFile(target, generated);
}
