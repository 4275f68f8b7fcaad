import { expect, test } from "@playwright/test";
import { checkPage } from "../axe";
import { tabTo } from "../keyboard";
import { ui } from "../ui";

/** Real clusters take their time to let a namespace go. */
const SETTLED = { timeout: 90_000 };

/** Takes the namespace out of both clusters, which would delete everything in it. */
async function emptyBoth() {
  const { page } = ui;
  await page.goto("/federated/namespaces/shop/shop");
  await ui.button("Placement").click();
  const dialog = page.getByRole("dialog", { name: "Placement of shop" });
  await dialog.getByRole("checkbox", { name: /^eu-1/ }).uncheck();
  await dialog.getByRole("checkbox", { name: /^us-1/ }).uncheck();
  await expect(dialog.getByText("would be deleted, once confirmed").first()).toBeVisible();
  await checkPage(page, "placement dialog");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Undo the change" })).toBeVisible(SETTLED);
}

export function held() {
  test("an object of any kind is made from YAML, with its preview, and tells what happened", async () => {
    const { page } = ui;
    await page.goto("/federated");
    await page.getByRole("table").getByRole("link", { name: "ConfigMaps" }).click();
    await page.getByRole("link", { name: "New ConfigMap" }).first().click();
    const yaml = page.getByRole("textbox", { name: "YAML" });
    const text = await yaml.inputValue();
    await yaml.fill(
      text
        .replace("name: example", "name: settings")
        .replace("namespace: default", "namespace: shop")
        .replace(/clusters: \[\].*/, "clusters: [{name: eu-1}]"),
    );
    const preview = page.getByRole("complementary", { name: "Preview" });
    await expect(preview.getByText("will be created")).toBeVisible();
    await checkPage(page, "YAML with its preview");
    await ui.button("Create ConfigMap").click();
    await expect(ui.heading("settings")).toBeVisible();
    await expect(ui.row("eu-1")).toContainText("OK", SETTLED);
    await expect(page.getByRole("table", { name: "Events" })).toContainText("CreateInCluster", SETTLED);
    await ui.inBothThemes("config-map");
  });

  test("a placement edit that would delete everything waits, and is undone", async () => {
    const { page } = ui;
    await emptyBoth();
    await expect(page.getByRole("region", { name: "Changes that wait for an answer" })).toContainText("shop");
    await checkPage(page, "object with its hold");
    await ui.inBothThemes("held-object");
    await ui.button("Undo the change").click();
    const dialog = page.getByRole("dialog");
    await checkPage(page, "undo dialog");
    await dialog.getByRole("button", { name: "Undo the change" }).click();
    await expect(dialog).toHaveCount(0);
    await expect(page.getByRole("region", { name: "Changes that wait for an answer" })).toHaveCount(0, SETTLED);
    await expect(ui.row("eu-1")).toContainText("OK", SETTLED);
    await page.goto("/federated/deployments.apps/shop/web");
    await expect(ui.row("us-1")).toContainText("OK", SETTLED);
  });

  test("meant, it is confirmed by keyboard with the number of what goes, and happens", async () => {
    const { page } = ui;
    await emptyBoth();
    const banner = page.getByRole("region", { name: "Changes that wait for an answer" });
    await banner.getByRole("link").first().click();
    await expect(ui.heading("Held change")).toBeVisible();
    await checkPage(page, "held change");
    await ui.inBothThemes("held-change");
    const open = page.getByRole("button", { name: /^Delete \d+ objects$/ });
    const count = /\d+/.exec((await open.textContent()) ?? "")?.[0] ?? "";
    await tabTo(page, open);
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Delete what was shown?" });
    await checkPage(page, "confirm dialog");
    const submit = dialog.getByRole("button", { name: "Delete", exact: true });
    await expect(submit).toHaveAttribute("aria-disabled", "true");
    await tabTo(page, dialog.getByLabel(`Type ${count} to confirm`));
    await page.keyboard.type(count);
    await page.keyboard.press("Enter");
    await expect(dialog).toHaveCount(0);
    await expect(banner).toHaveCount(0, SETTLED);
    await page.goto("/federated/deployments.apps/shop/web");
    await expect(page.getByText("On no cluster")).toBeVisible(SETTLED);
  });
}
