// Writes x.br and x.gz beside every file of dist that compresses, so that the server never compresses at run time.
// index.html is left alone: the server writes a nonce into it each time.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist", import.meta.url));

for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isFile() || !/\.(js|css|svg|json|txt)$/.test(entry.name) || path.includes("/.vite/")) continue;
  const data = await readFile(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length };
  for (const [suffix, packed] of [
    [".br", brotliCompressSync(data, { params })],
    [".gz", gzipSync(data, { level: 9 })],
  ]) {
    if (packed.length < data.length) await writeFile(path + suffix, packed);
    else await rm(path + suffix, { force: true });
  }
}
