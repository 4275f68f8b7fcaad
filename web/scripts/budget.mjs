// Fails when a page would load more JavaScript or CSS than its budget. Sizes are brotli, in kB of 1000 bytes.
import { readFile, rm, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const manifest = JSON.parse(await readFile(`${dist}.vite/manifest.json`, "utf8"));
await rm(`${dist}.vite`, { recursive: true });

const sizeOf = async (file) => {
  const packed = await stat(`${dist}${file}.br`).catch(() => stat(`${dist}${file}`));
  return packed.size / 1000;
};

/** Every file that loading these modules fetches, following static imports only. */
function closure(keys) {
  const js = new Set();
  const css = new Set();
  const visit = (key) => {
    const chunk = manifest[key];
    if (!chunk) throw new Error(`${key} is not in the manifest`);
    if (js.has(chunk.file)) return;
    js.add(chunk.file);
    for (const file of chunk.css ?? []) css.add(file);
    for (const next of chunk.imports ?? []) visit(next);
  };
  keys.forEach(visit);
  return { js: [...js].filter((file) => file.endsWith(".js")), css: [...css] };
}

const sum = async (files) => (await Promise.all(files.map(sizeOf))).reduce((a, b) => a + b, 0);
const shared = ["index.html", "src/i18n/en.json?catalog"];
const app = [...shared, "src/shell/frame.tsx"];
const pages = Object.keys(manifest).filter((key) => key.startsWith("src/routes/") && manifest[key].isDynamicEntry);

const rows = [];
for (const page of pages) {
  const login = page === "src/routes/login.tsx";
  const { js, css } = closure([...(login ? shared : app), page]);
  const gate = login ? 120 : page === "src/routes/clusters/list.tsx" ? 215 : 230;
  rows.push({ what: `JS ${page}`, kB: await sum(js), gate });
  rows.push({ what: `CSS ${page}`, kB: await sum(css), gate: 15 });
  rows.push({ what: `chunk ${page}`, kB: await sizeOf(manifest[page].file), gate: 45 });
}
for (const key of Object.keys(manifest).filter((key) => key.endsWith("?catalog")))
  rows.push({ what: key, kB: await sizeOf(manifest[key].file), gate: 25 });

const everything = [...new Set(Object.values(manifest).flatMap((chunk) => [chunk.file, ...(chunk.css ?? [])]))];
rows.push({ what: "CSS total", kB: await sum(everything.filter((file) => file.endsWith(".css"))), gate: 15 });
rows.push({ what: "dist", kB: await sum(everything), gate: 1000 });

const over = rows.filter((row) => row.kB > row.gate);
for (const row of rows.filter((row) => !/^(CSS|chunk) src/.test(row.what) || row.kB > row.gate))
  console.log(`${row.kB.toFixed(1).padStart(7)} of ${String(row.gate).padStart(4)} kB  ${row.what}`);
if (over.length) {
  console.error(`over budget: ${over.map((row) => row.what).join(", ")}`);
  process.exit(1);
}
