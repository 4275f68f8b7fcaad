import { expect, test } from "@playwright/test";
import { checkPage } from "../axe";
import { hub } from "../hub";
import { ui } from "../ui";

export function account() {
  test("the account says who one is, and a token is shown once and can be revoked", async () => {
    const { page } = ui;
    await page.getByRole("banner").getByRole("button").last().click();
    await page.getByRole("menuitem", { name: "Account and tokens" }).click();
    await expect(ui.heading("Account")).toBeVisible();
    await expect(page.locator("main").getByText(hub.username, { exact: true })).toBeVisible();
    await ui.button("New token").click();
    await page.getByRole("dialog").getByLabel("Name").fill("pipeline");
    await ui.button("Create token").click();
    const shown = page.getByRole("dialog", { name: "Token pipeline" });
    await expect(shown.getByRole("region", { name: "Token" })).toContainText(/\S{20,}/);
    await checkPage(page, "token shown");
    await ui.button("I have kept it").click();
    await expect(page.getByText("pipeline", { exact: true })).toBeVisible();
    await ui.inBothThemes("account");
    await ui.button("Revoke pipeline").click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
    await expect(page.getByText("pipeline", { exact: true })).toHaveCount(0);
  });

  test("the kubeconfig names the hub and every cluster, with a token that the account page lists", async () => {
    const { page } = ui;
    // The toast does not stay: it is looked for meanwhile.
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      expect(page.getByText("atoll.kubeconfig was downloaded")).toBeVisible(),
      ui.button("Download kubeconfig").click(),
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of await file.createReadStream()) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString();
    expect(text).toContain("kind: Config");
    for (const path of ["/k8s/hub", "/k8s/clusters/host", "/k8s/clusters/eu-1", "/k8s/clusters/us-1"])
      expect(text).toContain(path);
    await page.reload();
    await expect(page.getByRole("table", { name: "API tokens" }).getByRole("row")).toHaveCount(2);
  });
}
