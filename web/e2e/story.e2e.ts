// From sign-in to a federated Deployment that is Ready on two clusters, on a fresh hub with three real clusters.
import { expect, type Page, test } from "@playwright/test";
import { checkPage } from "./axe";
import { hub, kubeconfig, kubeconfigPath } from "./hub";
import { tabTo } from "./keyboard";
import { type Trouble, watch } from "./watch";

const EXEC_KUBECONFIG = `apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod
  cluster: {server: "https://prod.example.test:6443"}
users:
- name: prod
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}
contexts:
- name: prod
  context: {cluster: prod, user: prod}
`;

test.describe.configure({ mode: "serial" });

let page: Page;
let trouble: Trouble;

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  trouble = await watch(page, hub.url);
});

test.afterEach(() => {
  expect(trouble).toEqual({ violations: [], errors: [], foreign: [] });
});

test.afterAll(() => page.close());

const heading = (name: string | RegExp) => page.getByRole("heading", { level: 1, name });
const button = (name: string) => page.getByRole("button", { name, exact: true });
const row = (name: string) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });

async function screenshot(name: string) {
  await page.screenshot({ path: `e2e/output/screens/${name}.png`, fullPage: false });
}

async function inBothThemes(name: string) {
  for (const theme of ["light", "dark"]) {
    await page.evaluate((chosen) => document.documentElement.setAttribute("data-theme", chosen), theme);
    await screenshot(`${name}-${theme}`);
  }
  await page.evaluate(() => document.documentElement.removeAttribute("data-theme"));
}

test("a page asked for before sign-in asks for sign-in, and a wrong password says no more than that", async () => {
  await page.goto("/clusters");
  await expect(heading("Sign in to Atoll")).toBeVisible();
  await inBothThemes("login");
  await page.getByLabel("User name").fill(hub.username);
  await page.getByLabel("Password").fill("not the password");
  await button("Sign in").click();
  await expect(page.getByRole("alert")).toHaveText("User name or password is wrong.");
  await expect(page.getByLabel("Password")).toHaveValue("");
  await checkPage(page, "sign-in refused");
});

test("signing in by keyboard alone leads to the page that was asked for", async () => {
  await page.reload();
  await expect(page.getByLabel("User name")).toBeFocused();
  await page.keyboard.type(hub.username);
  await page.keyboard.press("Tab");
  await page.keyboard.type(hub.password);
  await page.keyboard.press("Enter");
  await expect(heading("Clusters")).toBeVisible();
  expect(new URL(page.url()).pathname).toBe("/clusters");
  await expect(page.getByText("No clusters yet")).toBeVisible();
  await screenshot("clusters-empty");
});

test("a kubeconfig that runs a program is refused, with the way out", async () => {
  await page.getByRole("link", { name: "Add cluster" }).first().click();
  await expect(heading("Add cluster")).toBeFocused();
  await page.getByLabel("kubeconfig", { exact: true }).fill(EXEC_KUBECONFIG);
  await expect(page.getByText("The check failed", { exact: true })).toBeVisible();
  await expect(page.getByRole("region", { name: "Commands that make an account" })).toContainText(
    "kubectl -n atoll-system create serviceaccount atoll",
  );
  await expect(button("Next")).toHaveAttribute("aria-disabled", "true");
  await checkPage(page, "kubeconfig refused");
  await screenshot("add-cluster-refused");
});

test("the host cluster joins, by keyboard alone", async () => {
  const text = page.getByLabel("kubeconfig", { exact: true });
  await page.goto("/clusters/-/add");
  await tabTo(page, text);
  await page.keyboard.insertText(kubeconfig("host"));
  await expect(page.getByText("Everything answered")).toBeVisible();
  await screenshot("add-cluster-stages");
  await tabTo(page, button("Next"));
  await page.keyboard.press("Enter");

  const name = page.getByLabel("Name", { exact: true });
  await tabTo(page, name);
  await page.keyboard.press("Control+A");
  await page.keyboard.type("Not A Label");
  await tabTo(page, button("Join"));
  await page.keyboard.press("Enter");
  await expect(page.getByText("Use lower-case letters, digits and dashes")).toBeVisible();
  await expect(name).toBeFocused();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("host");
  await tabTo(page, page.getByLabel("Role"));
  await page.keyboard.press("h");
  await expect(page.getByLabel("Role")).toHaveValue("host");
  await expect(page.getByText("ClusterRoleBinding atoll:admins")).toBeVisible();
  await screenshot("add-cluster-confirm");
  await tabTo(page, button("Join"));
  await page.keyboard.press("Enter");
  await expect(heading("host")).toBeVisible();
});

test("members join by file and by paste, and labels are kept", async () => {
  await page.goto("/clusters/-/add");
  await page.locator("input[type=file]").setInputFiles(kubeconfigPath("eu-1"));
  await expect(page.getByText("Everything answered")).toBeVisible();
  await button("Next").click();
  await page.getByLabel("Name", { exact: true }).fill("eu-1");
  await page.getByLabel("Alias").fill("Production");
  await page.getByLabel("Labels").fill("region=eu");
  await page.keyboard.press("Enter");
  await button("Join").click();
  await expect(heading("eu-1")).toBeVisible();
  await expect(page.getByText("region=eu")).toBeVisible();

  await page.goto("/clusters/-/add");
  await page.getByLabel("kubeconfig", { exact: true }).fill(kubeconfig("us-1"));
  await expect(page.getByText("Everything answered")).toBeVisible();
  await button("Next").click();
  await page.getByLabel("Name", { exact: true }).fill("us-1");
  await button("Join").click();
  await expect(heading("us-1")).toBeVisible();
});

test("a cluster that is registered already is named as such, and goes no further", async () => {
  await page.goto("/clusters/-/add");
  await page.getByLabel("kubeconfig", { exact: true }).fill(kubeconfig("eu-1"));
  await expect(page.getByRole("alert").filter({ hasText: "registered already, as eu-1" })).toBeVisible();
  await expect(button("Next")).toHaveAttribute("aria-disabled", "true");
});

test("the list shows host and members, ready, with nodes and version", async () => {
  await page.getByRole("link", { name: "Clusters" }).first().click();
  await expect(heading("Clusters")).toBeFocused();
  await expect(page.getByRole("rowheader", { name: "Host cluster" })).toBeVisible();
  await expect(page.getByRole("rowheader", { name: "Member clusters · 2" })).toBeVisible();
  for (const name of ["host", "eu-1", "us-1"]) {
    await expect(row(name)).toContainText("Ready");
    await expect(row(name)).toContainText("3/3");
    await expect(row(name)).toContainText(/v1\.\d+\.\d+/);
  }
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await inBothThemes("clusters");

  await page.getByRole("searchbox").fill("region=eu");
  await expect(row("us-1")).toHaveCount(0);
  await expect(row("eu-1")).toBeVisible();
  expect(new URL(page.url()).searchParams.get("name")).toBe("region=eu");
  await page.getByRole("searchbox").fill("no such cluster");
  await expect(page.getByText("No cluster matches")).toBeVisible();
  await button("Clear the filter").click();
  await expect(row("us-1")).toBeVisible();
});

test("editing from the row's menu shows at once, and the focus comes back", async () => {
  const menu = button("Actions for us-1");
  await menu.click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  await page.getByRole("dialog").getByLabel("Alias").fill("Production US");
  await button("Save").click();
  await expect(row("us-1")).toContainText("Production US");
  await expect(menu).toBeFocused();

  await menu.click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await expect(page.getByRole("dialog", { name: "Remove us-1?" })).toBeVisible();
  await checkPage(page, "remove dialog");
  await button("Cancel").click();
});

test("a federated Deployment made by form is Ready on both clusters, with their differences", async () => {
  await page.getByRole("link", { name: "Deployments" }).click();
  await expect(page.getByText("No federated Deployments yet")).toBeVisible();
  await page.getByRole("link", { name: "New Deployment" }).first().click();
  await button("Create Deployment").click();
  await expect(page.getByText("Choose at least one cluster.")).toBeVisible();
  await checkPage(page, "empty form refused");

  await page.getByLabel("Name", { exact: true }).fill("web");
  await page.getByLabel("Namespace").fill("shop");
  await page.getByLabel("Image", { exact: true }).fill("registry.example/shop/web:1.0");
  await button("Add port").click();
  await page.getByLabel("Container port").fill("8080");
  await page.getByLabel("CPU request").fill("50m");
  await page.getByLabel("Memory limit").fill("64Mi");
  await page.getByLabel("Replicas per cluster").fill("2");
  await page.getByRole("checkbox", { name: /^eu-1/ }).check();
  await page.getByRole("checkbox", { name: /^us-1/ }).check();
  await expect(page.getByText("Choose at least one cluster.")).toHaveCount(0);
  await page.getByLabel("Replicas on us-1").fill("3");
  await page.getByLabel("Image on us-1").fill("registry.example/shop/web:1.1");
  await expect(page.getByText("5 replicas on 2 clusters")).toBeVisible();
  await inBothThemes("new-deployment");
  await button("Create Deployment").click();

  await expect(heading("web")).toBeVisible();
  await expect(row("eu-1")).toContainText("2/2", { timeout: 60_000 });
  await expect(row("us-1")).toContainText("3/3", { timeout: 60_000 });
  await expect(row("eu-1")).toContainText("OK");
  await expect(row("eu-1")).toContainText("web:1.0");
  await expect(row("us-1")).toContainText("web:1.1");
  await expect(page.getByText("5/5 ready on 2 clusters")).toBeVisible();
  await expect(page.locator("header").getByText("Ready", { exact: true })).toBeVisible();
  await inBothThemes("deployment");
});

test("scaling is followed live, and the YAML says what was written", async () => {
  await button("Scale").click();
  const dialog = page.getByRole("dialog", { name: "Scale web" });
  await dialog.getByLabel("Replicas per cluster", { exact: true }).fill("4");
  await dialog.getByLabel("Replicas per cluster on us-1").fill("1");
  await button("Save").click();
  await expect(row("eu-1")).toContainText("4/4", { timeout: 60_000 });
  await expect(row("us-1")).toContainText("1/1", { timeout: 60_000 });
  await expect(page.getByRole("region", { name: "YAML" })).toContainText("replicas: 4");
});

test("a token is shown once and can be revoked, and the kubeconfig names the clusters", async () => {
  await page.goto("/account");
  await button("New token").click();
  await page.getByRole("dialog").getByLabel("Name").fill("pipeline");
  await button("Create token").click();
  const shown = page.getByRole("dialog", { name: "Token pipeline" });
  await expect(shown.getByRole("region", { name: "Token" })).toContainText(/\S{20,}/);
  await checkPage(page, "token shown");
  await button("I have kept it").click();
  await expect(page.getByText("pipeline", { exact: true })).toBeVisible();
  await button("Revoke pipeline").click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(page.getByText("pipeline", { exact: true })).toHaveCount(0);

  const coming = page.waitForEvent("download");
  await button("Download kubeconfig").click();
  const file = await coming;
  const chunks: Buffer[] = [];
  for await (const chunk of await file.createReadStream()) chunks.push(Buffer.from(chunk));
  expect(Buffer.concat(chunks).toString()).toContain("kind: Config");
});

const ROUTES = [
  "/clusters",
  "/clusters/-/add",
  "/clusters/eu-1",
  "/clusters/no-such-cluster",
  "/federated/deployments.apps",
  "/federated/deployments.apps/new",
  "/federated/deployments.apps/shop/web",
  "/federated/deployments.apps/shop/no-such-object",
  "/account",
  "/no/such/page",
];

for (const locale of ["en", "zh-CN"])
  test(`every page is accessible in ${locale}, in light and in dark, and fits a phone`, async () => {
    await page.evaluate((chosen) => localStorage.setItem("atoll.locale", chosen), locale);
    for (const route of ROUTES) {
      await page.goto(route);
      await expect(page.locator("h1, h2").first()).toBeVisible();
      await page.waitForLoadState("networkidle");
      expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale);
      await checkPage(page, `${route} in ${locale}`);
      const raw = await page.evaluate(
        () => document.body.innerText.match(/\b(action|cluster|federated|form|new|status|tokens)\.[a-zA-Z.]+\b/g) ?? [],
      );
      expect(raw, `message ids shown on ${route}`).toEqual([]);
      // Reflow at 320 CSS pixels: nothing scrolls sideways.
      await page.setViewportSize({ width: 320, height: 800 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide, `${route} in ${locale} at 320 px`).toBeLessThanOrEqual(320);
      if (route === "/clusters") await screenshot(`clusters-narrow-${locale}`);
      await page.setViewportSize({ width: 1440, height: 900 });
    }
  });

test("the language is switched without a reload", async () => {
  await page.goto("/clusters");
  await page.getByRole("button", { name: "语言" }).click();
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await expect(heading("Clusters")).toBeVisible();
  await screenshot("clusters-after-switch");
});

test("signing out forgets the session: no key is kept, and going back shows no data", async () => {
  await page.getByRole("banner").getByRole("button").last().click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(heading("Sign in to Atoll")).toBeVisible();
  expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => !/locale|theme/.test(key)))).toEqual([]);
  await page.goBack();
  await expect(heading("Sign in to Atoll")).toBeVisible();
  await expect(page.getByText("eu-1")).toHaveCount(0);
});
