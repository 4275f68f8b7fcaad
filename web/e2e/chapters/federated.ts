import { expect, test } from "@playwright/test";
import { checkPage } from "../axe";
import { tabTo } from "../keyboard";
import { ui } from "../ui";

/** Real clusters pull no images here, but they take their time all the same. */
const SETTLED = { timeout: 60_000 };

export function federated() {
  test("a form with mistakes says each at its field", async () => {
    const { page } = ui;
    await page.getByRole("link", { name: "Deployments" }).click();
    await expect(page.getByText("No federated Deployments yet")).toBeVisible();
    await page.getByRole("link", { name: "New Deployment" }).first().click();
    await ui.button("Create Deployment").click();
    await expect(page.getByText("Choose at least one cluster.")).toBeVisible();
    await expect(page.getByLabel("Name", { exact: true })).toBeFocused();
    await page.getByLabel("CPU request").fill("2");
    await page.getByLabel("CPU limit").fill("500m");
    await expect(page.getByText("The limit is lower than the request.")).toBeVisible();
    await page.getByLabel("CPU limit").fill("");
    await page.getByLabel("Image", { exact: true }).fill("no image!");
    await expect(page.getByText("This is no image reference")).toBeVisible();
    await checkPage(page, "form refused");
  });

  test("a federated Deployment made by form is Ready on both clusters, with their differences", async () => {
    const { page } = ui;
    await page.getByLabel("Name", { exact: true }).fill("web");
    await page.getByLabel("Namespace").fill("shop");
    await page.getByLabel("Image", { exact: true }).fill("registry.example/shop/web:1.0");
    await ui.button("Add port").click();
    await page.getByLabel("Container port").fill("8080");
    await page.getByLabel("CPU request").fill("50m");
    await page.getByLabel("Memory limit").fill("64Mi");
    await page.getByLabel("Replicas per cluster").fill("2");
    await page.getByRole("checkbox", { name: /^eu-1/ }).check();
    await page.getByRole("checkbox", { name: /^us-1/ }).check();
    await expect(page.getByText("Choose at least one cluster.")).toHaveCount(0);
    await page.getByLabel("Replicas on us-1").fill("3");
    await page.getByLabel("Image on us-1").fill("registry.example/shop/web:1.1");

    const preview = page.getByRole("complementary", { name: "Preview" });
    await expect(preview.getByText("5 replicas on 2 clusters")).toBeVisible();
    const yaml = preview.getByText("YAML for us-1");
    await yaml.click();
    await expect(preview.getByRole("region", { name: "YAML for us-1" })).toContainText(
      "image: registry.example/shop/web:1.1",
    );
    await checkPage(page, "form with its preview");
    await yaml.click();
    await ui.inBothThemes("new-deployment");
    await ui.button("Create Deployment").click();

    await expect(ui.heading("web")).toBeVisible();
    await expect(ui.row("eu-1")).toContainText("2/2", SETTLED);
    await expect(ui.row("us-1")).toContainText("3/3", SETTLED);
    await expect(ui.row("eu-1")).toContainText("OK");
    await expect(ui.row("eu-1")).toContainText("web:1.0");
    await expect(ui.row("us-1")).toContainText("web:1.1");
    await expect(page.getByText("5/5 ready on 2 clusters")).toBeVisible(SETTLED);
    await expect(page.locator("main header").getByText("Ready", { exact: true })).toBeVisible(SETTLED);
    await ui.inBothThemes("deployment");
  });

  test("a second one of the same name is refused at the name", async () => {
    const { page } = ui;
    await page.goto("/federated/deployments.apps/new");
    await page.getByLabel("Name", { exact: true }).fill("web");
    await page.getByLabel("Namespace").fill("shop");
    await page.getByLabel("Image", { exact: true }).fill("registry.example/shop/web:2.0");
    await page.getByRole("checkbox", { name: /^eu-1/ }).check();
    await ui.button("Create Deployment").click();
    await expect(page.getByRole("alert").filter({ hasText: "It exists already" })).toBeVisible();
    await expect(page.getByLabel("Name", { exact: true })).toBeFocused();
    await checkPage(page, "name taken");
  });

  test("scaling by keyboard is followed live, here and in another tab, and the YAML says what was written", async () => {
    const { page } = ui;
    const tab = await ui.anotherTab();
    await tab.goto("/federated/deployments.apps");
    await expect(ui.row("web", tab)).toContainText("5/5");

    await page.goto("/federated/deployments.apps/shop/web");
    await tabTo(page, ui.button("Scale"));
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Scale web" });
    const everywhere = dialog.getByLabel("Replicas per cluster", { exact: true });
    await tabTo(page, everywhere);
    await page.keyboard.press("Control+A");
    await page.keyboard.type("4");
    const own = dialog.getByLabel("Replicas per cluster on us-1");
    await tabTo(page, own);
    await page.keyboard.press("Control+A");
    await page.keyboard.type("2");
    await page.keyboard.press("Enter");
    await expect(dialog).toHaveCount(0);
    await expect(ui.button("Scale")).toBeFocused();

    await expect(ui.row("eu-1")).toContainText("4/4", SETTLED);
    await expect(ui.row("us-1")).toContainText("2/2", SETTLED);
    await expect(page.getByRole("region", { name: "YAML" })).toContainText("replicas: 4");
    await expect(ui.row("web", tab)).toContainText("6/6", SETTLED);
    await tab.close();
    await ui.screenshot("deployment-scaled");
  });

  test("deleting asks for the name first, and says what stops", async () => {
    const { page } = ui;
    await ui.button("Delete").click();
    const dialog = page.getByRole("dialog", { name: "Delete shop/web?" });
    await expect(dialog).toContainText("eu-1");
    await expect(ui.button("Delete everywhere")).toHaveAttribute("aria-disabled", "true");
    await checkPage(page, "delete dialog");
    await ui.button("Cancel").click();
    await expect(ui.button("Delete")).toBeFocused();
  });
}
