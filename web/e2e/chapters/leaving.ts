import { expect, test } from "@playwright/test";
import { checkPage } from "../axe";
import { hub } from "../hub";
import { ui } from "../ui";

/** Nobody's name: a lock on it locks nobody out. */
const STRANGER = "stranger";
/** More tries than any lock allows. */
const TRIES = 8;

async function tryToSignIn(username: string, password: string): Promise<number> {
  const { page } = ui;
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  const answer = page.waitForResponse((response) => response.url().endsWith("/api/v1/sessions"));
  await page.keyboard.press("Enter");
  return (await answer).status();
}

export function leaving() {
  test("a session that ended elsewhere says so, and signing in leads back", async () => {
    const { page } = ui;
    await page.goto("/clusters");
    await expect(ui.row("eu-1")).toBeVisible();
    await page.context().clearCookies();
    await page.goto("/account");
    await expect(ui.heading("Sign in to Atoll")).toBeVisible();
    await expect(page.getByText("Your session has ended.")).toBeVisible();
    await checkPage(page, "session ended");
    await ui.screenshot("session-ended");
    expect(await tryToSignIn(hub.username, hub.password)).toBeLessThan(300);
    await expect(ui.heading("Account")).toBeVisible();
  });

  test("signing out forgets the session in every tab: no key is kept, and going back shows no data", async () => {
    const { page } = ui;
    const tab = await ui.anotherTab();
    await tab.goto("/clusters");
    await expect(ui.row("eu-1", tab)).toBeVisible();
    await page.getByRole("banner").getByRole("button").last().click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await expect(ui.heading("Sign in to Atoll")).toBeVisible();
    await expect(page.getByText("Your session has ended.")).toHaveCount(0);
    expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => !/locale|theme/.test(key)))).toEqual([]);
    await expect(tab.getByRole("heading", { level: 1, name: "Sign in to Atoll" })).toBeVisible();
    await tab.close();
    await page.goBack();
    await expect(ui.heading("Sign in to Atoll")).toBeVisible();
    await expect(page.getByText("eu-1")).toHaveCount(0);
  });

  test("who tries too often is told how long to wait, and sees the time go by", async () => {
    const { page } = ui;
    await page.goto("/login");
    const statuses: number[] = [];
    while (statuses.length < TRIES && statuses.at(-1) !== 429)
      statuses.push(await tryToSignIn(STRANGER, `guess ${statuses.length}`));
    expect(statuses.at(-1)).toBe(429);
    const told = page.getByRole("alert");
    await expect(told).toContainText("Too many attempts.");
    await expect(told).toContainText(/Try again in \d/);
    await expect(ui.button("Sign in")).toHaveAttribute("aria-disabled", "true");
    await expect(ui.button("Sign in")).toHaveAttribute("title", /Try again in \d/);
    await checkPage(page, "locked out");
    await ui.screenshot("locked-out");
    const before = await told.innerText();
    await expect(told).not.toHaveText(before, { useInnerText: true });
  });
}
