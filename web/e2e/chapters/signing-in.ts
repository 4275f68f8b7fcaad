import { expect, test } from "@playwright/test";
import { checkPage } from "../axe";
import { hub } from "../hub";
import { ui } from "../ui";

export function signingIn() {
  test("a page asked for before sign-in asks for sign-in, in the language and theme of one's choice", async () => {
    const { page } = ui;
    await page.goto("/clusters");
    await expect(ui.heading("Sign in to Atoll")).toBeVisible();
    await ui.inBothThemes("login");
    await page.getByLabel("Language").selectOption("zh-CN");
    await expect(ui.heading("登录 Atoll")).toBeVisible();
    await checkPage(page, "sign-in in Chinese");
    await page.getByLabel("语言").selectOption("en");
    await expect(ui.heading("Sign in to Atoll")).toBeVisible();
  });

  test("a wrong password says no more than that", async () => {
    const { page } = ui;
    await expect(ui.button("Sign in")).toHaveAttribute("aria-disabled", "true");
    await page.getByLabel("User name").fill(hub.username);
    await page.getByLabel("Password").fill("not the password");
    await ui.button("Sign in").click();
    await expect(page.getByRole("alert")).toHaveText("User name or password is wrong.");
    await expect(page.getByLabel("Password")).toHaveValue("");
    await checkPage(page, "sign-in refused");
  });

  test("signing in by keyboard alone leads to the page that was asked for", async () => {
    const { page } = ui;
    await page.reload();
    await expect(page.getByLabel("User name")).toBeFocused();
    await page.keyboard.type(hub.username);
    await page.keyboard.press("Tab");
    await page.keyboard.type(hub.password);
    await page.keyboard.press("Enter");
    await expect(ui.heading("Clusters")).toBeVisible();
    expect(new URL(page.url()).pathname).toBe("/clusters");
    await expect(page.getByText("No clusters yet")).toBeVisible();
    await ui.screenshot("clusters-empty");
  });

  test("the browser keeps preferences and a key that opens nothing by itself", async () => {
    const { page } = ui;
    const kept = await page.evaluate(async () => ({
      local: Object.keys(localStorage).filter((key) => !/^atoll\.(locale|theme)$/.test(key)),
      // How far each page was scrolled, for the way back.
      session: Object.keys(sessionStorage).filter((key) => !key.startsWith("tsr-scroll-restoration")),
      cookies: document.cookie,
      databases: (await indexedDB.databases()).length,
      workers: (await navigator.serviceWorker?.getRegistrations())?.length ?? 0,
    }));
    expect(kept).toEqual({ local: ["atoll.key"], session: [], cookies: "", databases: 0, workers: 0 });
    const answers = await page.evaluate(async () => {
      const key = localStorage.getItem("atoll.key") ?? "";
      const status = async (options: RequestInit) => (await fetch("/api/v1/me", options)).status;
      return {
        keyWithoutCookie: await status({ credentials: "omit", headers: { "X-Atoll-Key": key } }),
        keyAsToken: await status({ credentials: "omit", headers: { Authorization: `Bearer ${key}` } }),
        cookieWithoutKey: await status({}),
        both: await status({ headers: { "X-Atoll-Key": key } }),
      };
    });
    expect(answers).toEqual({ keyWithoutCookie: 401, keyAsToken: 401, cookieWithoutKey: 401, both: 200 });
  });
}
