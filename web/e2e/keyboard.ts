import type { Locator, Page } from "@playwright/test";

/** Walks with the Tab key until this element has the focus, as somebody without a mouse does. */
export async function tabTo(page: Page, target: Locator, most = 60) {
  for (let step = 0; step < most; step++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`not reached by ${most} times Tab: ${target}`);
}
