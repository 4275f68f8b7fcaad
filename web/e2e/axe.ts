import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Page } from "@playwright/test";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Finding {
  id: string;
  nodes: { target: string[]; failureSummary: string }[];
}

interface Options {
  runOnly: { type: "tag" | "rule"; values: string[] };
}

const EVERYTHING: Options = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
};
const COLOURS: Options = { runOnly: { type: "rule", values: ["color-contrast"] } };

async function run(page: Page, options: Options, where: string) {
  const loaded = await page.evaluate(() => "axe" in window);
  // Not a script element: the content security policy forbids those, and stays on.
  if (!loaded) await page.evaluate(source);
  const found = await page.evaluate(async (chosen): Promise<Finding[]> => {
    const axe: { run(root: Document, options: Options): Promise<{ violations: Finding[] }> } = Reflect.get(
      window,
      "axe",
    );
    return (await axe.run(document, chosen)).violations;
  }, options);
  const told = found.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")}\n${node.failureSummary}`),
  );
  expect(told, where).toEqual([]);
}

/** No violation on this page as it stands, in light and in dark. */
export async function checkPage(page: Page, where: string) {
  const setTheme = (theme: string) =>
    page.evaluate((name) => document.documentElement.setAttribute("data-theme", name), theme);
  await setTheme("light");
  await run(page, EVERYTHING, `${where}, light`);
  await setTheme("dark");
  await run(page, COLOURS, `${where}, dark`);
}
