import { expect, test } from "@playwright/test";
import { checkPage } from "../axe";
import { ui } from "../ui";

const ROUTES = [
  "/clusters",
  "/clusters/-/add",
  "/clusters/eu-1",
  "/clusters/no-such-cluster",
  "/federated",
  "/federated/deployments.apps",
  "/federated/deployments.apps/new",
  "/federated/configmaps/new",
  "/federated/namespaces/shop/shop",
  "/federated/held/no-such-hold",
  "/federated/deployments.apps/shop/web",
  "/federated/deployments.apps/shop/no-such-object",
  "/account",
  "/no/such/page",
];

/** Ids of messages look like this; a page that shows one has lost its translation. */
const RAW_ID = /\b(action|cluster|federated|form|new|status|tokens)\.[a-zA-Z.]+\b/g;

async function shown(route: string) {
  const { page } = ui;
  await page.goto(route);
  await expect(page.locator("main :is(h1, h2)").first()).toBeVisible();
  // Grey lines stand where rows are still to come.
  await expect(page.locator("main [role=status][aria-label]")).toHaveCount(0);
}

export function everyPage() {
  for (const locale of ["en", "zh-CN"]) {
    test(`every page is accessible in ${locale}, in light and in dark, and fits a phone`, async () => {
      const { page } = ui;
      await page.evaluate((chosen) => localStorage.setItem("atoll.locale", chosen), locale);
      for (const route of ROUTES) {
        await shown(route);
        expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale);
        await checkPage(page, `${route} in ${locale}`);
        const text = await page.evaluate(() => document.body.innerText);
        expect(text.match(RAW_ID) ?? [], `message ids shown on ${route}`).toEqual([]);
        // Reflow at 320 CSS pixels: nothing scrolls sideways.
        await page.setViewportSize({ width: 320, height: 800 });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(wide, `${route} in ${locale} at 320 px`).toBeLessThanOrEqual(320);
        await ui.screenshot(`narrow${route.replaceAll("/", "-")}-${locale}`);
        await page.setViewportSize({ width: 1440, height: 900 });
      }
    });

    test(`open menus and dialogs are accessible in ${locale}`, async () => {
      const { page } = ui;
      await shown("/clusters");
      const menus = page.locator("tbody [aria-haspopup=menu]");
      for (const [item, name] of ["edit", "credential", "remove"].entries()) {
        await menus.last().click();
        if (item === 0) await checkPage(page, `row menu in ${locale}`);
        await page.getByRole("menuitem").nth(item).click();
        await expect(page.getByRole("dialog")).toBeVisible();
        await checkPage(page, `${name} dialog in ${locale}`);
        await page.keyboard.press("Escape");
        await expect(page.getByRole("dialog")).toHaveCount(0);
      }
      await shown("/federated/deployments.apps/shop/web");
      await expect(page.locator("main pre")).toBeVisible();
      for (const [index, name] of ["scale", "image", "placement", "yaml", "delete"].entries()) {
        // Editing YAML is a page, not a dialog.
        if (name === "yaml") continue;
        await page.locator("main header button").nth(index).click();
        await expect(page.getByRole("dialog")).toBeVisible();
        await checkPage(page, `${name} dialog in ${locale}`);
        await page.keyboard.press("Escape");
        await expect(page.getByRole("dialog")).toHaveCount(0);
      }
    });
  }

  test("the language is switched without a reload", async () => {
    const { page } = ui;
    await page.goto("/clusters");
    await page.getByRole("button", { name: "语言" }).click();
    await page.getByRole("menuitemradio", { name: "English" }).click();
    await expect(ui.heading("Clusters")).toBeVisible();
    await expect(page).toHaveTitle("Clusters · Atoll");
  });
}
