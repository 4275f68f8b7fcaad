import { expect, test } from "@playwright/test";
import { checkPage } from "../axe";
import { kubeconfig, kubeconfigPath } from "../hub";
import { tabTo } from "../keyboard";
import { ui } from "../ui";

/** What somebody might write who hopes that it runs. */
const HOSTILE = `<img src="https://evil.example/x" onerror="alert(1)"><script>alert(2)</script>{{3*3}}`;

const STAGES = ["kubeconfig", "DNS", "TCP", "TLS", "Sign-in", "Version", "Permissions", "Nodes", "Identity"];

async function everythingAnswered() {
  await expect(ui.page.getByText("Everything answered")).toBeVisible();
  for (const stage of STAGES) await expect(ui.stage(stage)).toHaveAttribute("data-state", /^(ok|warning)$/);
}

export function clusters() {
  test("the host cluster joins, by keyboard alone", async () => {
    const { page } = ui;
    const text = page.getByLabel("kubeconfig", { exact: true });
    await page.goto("/clusters/-/add");
    await tabTo(page, text);
    await page.keyboard.insertText(kubeconfig("host"));
    await everythingAnswered();
    await ui.inBothThemes("add-cluster-stages");
    await tabTo(page, ui.button("Next"));
    await page.keyboard.press("Enter");

    const name = page.getByLabel("Name", { exact: true });
    await tabTo(page, name);
    await page.keyboard.press("Control+A");
    await page.keyboard.type("Not A Label");
    await tabTo(page, ui.button("Join"));
    await page.keyboard.press("Enter");
    await expect(page.getByText("Use lower-case letters, digits and dashes")).toBeVisible();
    await expect(name).toBeFocused();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("host");
    await tabTo(page, page.getByLabel("Role"));
    await page.keyboard.press("h");
    await expect(page.getByLabel("Role")).toHaveValue("host");
    await expect(page.getByText("ClusterRoleBinding atoll:admins")).toBeVisible();
    await checkPage(page, "add cluster, before joining");
    await ui.inBothThemes("add-cluster-confirm");
    await tabTo(page, ui.button("Join"));
    // The toast does not stay: it is looked for meanwhile.
    await Promise.all([
      expect(page.getByText("Created: ClusterRoleBinding atoll:admins")).toBeVisible(),
      page.keyboard.press("Enter"),
    ]);
    await expect(ui.heading("host")).toBeVisible();
  });

  test("members join by file and by paste, labels are kept, and a name is taken only once", async () => {
    const { page } = ui;
    await page.goto("/clusters/-/add");
    await page.locator("input[type=file]").setInputFiles(kubeconfigPath("eu-1"));
    await everythingAnswered();
    await ui.button("Next").click();
    await page.getByLabel("Name", { exact: true }).fill("eu-1");
    await page.getByLabel("Alias").fill("Production");
    await page.getByLabel("Labels").fill("region=eu");
    await page.keyboard.press("Enter");
    await ui.button("Join").click();
    await expect(ui.heading("eu-1")).toBeVisible();
    await expect(page.getByText("region=eu")).toBeVisible();

    await page.goto("/clusters/-/add");
    await page.getByLabel("kubeconfig", { exact: true }).fill(kubeconfig("us-1"));
    await everythingAnswered();
    await ui.button("Next").click();
    await page.getByLabel("Name", { exact: true }).fill("eu-1");
    await ui.button("Join").click();
    await expect(page.getByText("A cluster of this name is registered already.")).toBeVisible();
    await page.getByLabel("Name", { exact: true }).fill("us-1");
    await page.getByLabel("Description").fill(HOSTILE);
    await ui.button("Join").click();
    await expect(ui.heading("us-1")).toBeVisible();
    await expect(page.getByText(HOSTILE)).toBeVisible();
    await ui.inBothThemes("cluster");
  });

  test("a cluster that is registered already is named as such, and goes no further", async () => {
    const { page } = ui;
    await page.goto("/clusters/-/add");
    await page.getByLabel("kubeconfig", { exact: true }).fill(kubeconfig("eu-1"));
    await expect(page.getByRole("alert").filter({ hasText: "registered already, as eu-1" })).toBeVisible();
    await expect(ui.button("Next")).toHaveAttribute("aria-disabled", "true");
  });

  test("the list shows host and members, ready, with nodes, version and when they were added", async () => {
    const { page } = ui;
    await page.getByRole("link", { name: "Clusters" }).first().click();
    await expect(ui.heading("Clusters")).toBeFocused();
    for (const column of ["Name", "Status", "Nodes", "Kubernetes", "Provider", "Created"])
      await expect(page.getByRole("columnheader", { name: column, exact: true })).toBeVisible();
    await expect(page.getByRole("rowheader", { name: "Host cluster" })).toBeVisible();
    await expect(page.getByRole("rowheader", { name: "Member clusters · 2" })).toBeVisible();
    for (const name of ["host", "eu-1", "us-1"]) {
      await expect(ui.row(name)).toContainText("Ready");
      await expect(ui.row(name)).toContainText("3/3");
      await expect(ui.row(name)).toContainText(/v1\.\d+\.\d+/);
      await expect(ui.row(name).locator("time").last()).toHaveAttribute("datetime", /^\d{4}-\d\d-\d\dT/);
    }
    await expect(page.getByText("Live", { exact: true })).toBeVisible();
    await ui.inBothThemes("clusters");

    await page.getByRole("searchbox").fill("region=eu");
    await expect(ui.row("us-1")).toHaveCount(0);
    await expect(ui.row("eu-1")).toBeVisible();
    expect(new URL(page.url()).searchParams.get("name")).toBe("region=eu");
    await page.getByRole("searchbox").fill("no such cluster");
    await expect(page.getByText("No cluster matches")).toBeVisible();
    await ui.button("Clear the filter").click();
    await expect(ui.row("us-1")).toBeVisible();
  });

  test("editing from the row's menu shows at once, hostile text stays text, and the focus comes back", async () => {
    const { page } = ui;
    const menu = ui.button("Actions for us-1");
    const alias = `<img src=x onerror=alert(4)>`;
    for (const text of [alias, "Production US"]) {
      await menu.click();
      await page.getByRole("menuitem", { name: "Edit" }).click();
      await page.getByRole("dialog").getByLabel("Alias").fill(text);
      await ui.button("Save").click();
      await expect(ui.row("us-1")).toContainText(text);
      await expect(menu).toBeFocused();
    }
  });

  test("removing says what it means before anything happens, and can be left", async () => {
    const { page } = ui;
    await ui.button("Actions for us-1").click();
    await page.getByRole("menuitem", { name: "Remove" }).click();
    const dialog = page.getByRole("dialog", { name: "Remove us-1?" });
    await expect(dialog).toContainText("No federated Deployment is placed on it.");
    await dialog.getByLabel("Delete them on the cluster").check();
    await expect(ui.button("Remove cluster")).toHaveAttribute("aria-disabled", "true");
    await checkPage(page, "remove dialog");
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await expect(ui.row("us-1")).toBeVisible();
  });
}
