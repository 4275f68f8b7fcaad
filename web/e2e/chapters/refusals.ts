import { expect, test } from "@playwright/test";
import { checkPage } from "../axe";
import { kubeconfig } from "../hub";
import { RUNS_A_PROGRAM, withDeadAddress, withFilePath, withOtherAuthority } from "../kubeconfigs";
import { ui } from "../ui";

/** Hands in a kubeconfig and sees at which stage it is refused; no later stage was reached, and there is no way on. */
async function refusedAt(stage: string, text: string) {
  const { page } = ui;
  await page.getByLabel("kubeconfig", { exact: true }).fill(text);
  await expect(page.getByText("The check failed", { exact: true })).toBeVisible();
  await expect(ui.stage(stage)).toHaveAttribute("data-state", "failed");
  await expect(ui.stage("Identity")).toHaveAttribute("data-state", "skipped");
  await expect(ui.button("Next")).toHaveAttribute("aria-disabled", "true");
}

export function refusals() {
  test("a kubeconfig that runs a program is refused, with the way out", async () => {
    const { page } = ui;
    await page.getByRole("link", { name: "Add cluster" }).first().click();
    await expect(ui.heading("Add cluster")).toBeFocused();
    await refusedAt("kubeconfig", RUNS_A_PROGRAM);
    await expect(ui.stage("kubeconfig")).toContainText("exec");
    await expect(page.getByRole("region", { name: "Commands that make an account" })).toContainText(
      "kubectl -n atoll-system create serviceaccount atoll",
    );
    await checkPage(page, "kubeconfig refused");
    await ui.screenshot("add-cluster-refused");
  });

  test("a kubeconfig that names a file is refused: the hub reads none", async () => {
    await refusedAt("kubeconfig", withFilePath(kubeconfig("eu-1")));
    await expect(ui.stage("kubeconfig")).toContainText("certificate-authority");
    await expect(ui.page.getByRole("region", { name: "Commands that make an account" })).toHaveCount(0);
  });

  test("text that is no kubeconfig is refused", async () => {
    await refusedAt("kubeconfig", "- this\n- is: [a list\n");
  });

  test("a wrong certificate authority is refused at TLS", async () => {
    await refusedAt("TLS", withOtherAuthority(kubeconfig("eu-1")));
    await expect(ui.stage("TCP")).toHaveAttribute("data-state", "ok");
    await ui.screenshot("add-cluster-wrong-authority");
  });

  test("an address where nobody listens is refused at TCP, and nothing was saved", async () => {
    const { page } = ui;
    await refusedAt("TCP", withDeadAddress(kubeconfig("eu-1")));
    await checkPage(page, "dead address");
    await ui.button("Cancel").click();
    await expect(page.getByText("No clusters yet")).toBeVisible();
  });
}
