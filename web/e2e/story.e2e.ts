// From sign-in to a federated Deployment that is Ready on two clusters, on a fresh hub with three real clusters. One
// page, one test after the other: each chapter finds what the ones before it left.
import { test } from "@playwright/test";
import { account } from "./chapters/account";
import { clusters } from "./chapters/clusters";
import { everyPage } from "./chapters/every-page";
import { federated } from "./chapters/federated";
import { held } from "./chapters/held";
import { leaving } from "./chapters/leaving";
import { refusals } from "./chapters/refusals";
import { signingIn } from "./chapters/signing-in";
import { ui } from "./ui";

test.describe.configure({ mode: "serial" });

test.beforeAll(({ browser }) => ui.open(browser));
test.afterEach(() => ui.expectNoTrouble());
test.afterAll(() => ui.close());

signingIn();
refusals();
clusters();
federated();
account();
everyPage();
held();
leaving();
