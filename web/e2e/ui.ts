// The one page on which the story is told, what people see on it, and what must never happen on it.
import { type Browser, expect, type Page } from "@playwright/test";
import { hub } from "./hub";
import { type Trouble, watch } from "./watch";

class Ui {
  #page: Page | undefined;
  readonly #trouble: Trouble = { violations: [], errors: [], foreign: [] };

  async open(browser: Browser) {
    const context = await browser.newContext();
    this.#page = await context.newPage();
    await watch(this.#page, hub.url, this.#trouble);
  }

  async close() {
    await this.#page?.context().close();
  }

  /** Another tab of the same browser, watched as the first one is. */
  async anotherTab(): Promise<Page> {
    const tab = await this.page.context().newPage();
    await watch(tab, hub.url, this.#trouble);
    return tab;
  }

  /** No violation of the policy, no script error, no dialog, no request to another site, since the story began. */
  expectNoTrouble() {
    expect(this.#trouble).toEqual({ violations: [], errors: [], foreign: [] });
  }

  get page(): Page {
    if (!this.#page) throw new Error("the page is not open yet");
    return this.#page;
  }

  heading(name: string | RegExp) {
    return this.page.getByRole("heading", { level: 1, name });
  }

  button(name: string) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** The row of a table that is about this. */
  row(name: string, page = this.page) {
    return page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
  }

  /** A stage of the connection check. */
  stage(name: string) {
    const stages = this.page.getByRole("list", { name: "Stages of the connection check" });
    return stages.getByRole("listitem").filter({ has: this.page.getByText(name, { exact: true }) });
  }

  async screenshot(name: string) {
    await this.page.screenshot({ path: `e2e/output/screens/${name}.png`, fullPage: false });
  }

  async inBothThemes(name: string) {
    for (const theme of ["light", "dark"]) {
      await this.page.evaluate((chosen) => document.documentElement.setAttribute("data-theme", chosen), theme);
      await this.screenshot(`${name}-${theme}`);
    }
    await this.page.evaluate(() => document.documentElement.removeAttribute("data-theme"));
  }
}

export const ui = new Ui();
