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

interface Context {
  exclude: string[][];
}

/**
 * Left out: the edges of an open menu, hidden elements that take the focus only to hand it on, so that Tab leaves the
 * menu as it would leave any other part of the page. Nobody ever stays on one.
 */
const PAGE: Context = { exclude: [["[data-base-ui-focus-guard]"]] };

const EVERYTHING: Options = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
};
const COLOURS: Options = { runOnly: { type: "rule", values: ["color-contrast"] } };

async function run(page: Page, options: Options, where: string) {
  const loaded = await page.evaluate(() => "axe" in window);
  // Not a script element: the content security policy forbids those, and stays on.
  if (!loaded) await page.evaluate(source);
  const found = await page.evaluate(
    async ([context, chosen]): Promise<Finding[]> => {
      const axe: { run(context: Context, options: Options): Promise<{ violations: Finding[] }> } = Reflect.get(
        window,
        "axe",
      );
      return (await axe.run(context, chosen)).violations;
    },
    [PAGE, options] as const,
  );
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
