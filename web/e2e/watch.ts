import type { Page } from "@playwright/test";

/** What a page must never do, collected while the tests use it. */
export interface Trouble {
  violations: string[];
  errors: string[];
  foreign: string[];
}

/** Listens for violations of the content security policy, for script errors, and for requests to other sites. */
export async function watch(page: Page, origin: string, trouble: Trouble) {
  await page.exposeFunction("reportViolation", (text: string) => trouble.violations.push(text));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      const report: unknown = Reflect.get(window, "reportViolation");
      if (typeof report === "function") report(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  page.on("pageerror", (error) => trouble.errors.push(error.message));
  page.on("dialog", (dialog) => {
    trouble.errors.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== new URL(origin).origin) trouble.foreign.push(url.href);
  });
}
