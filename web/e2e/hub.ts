// Where the hub under test is, and what to sign in with. Whoever starts the tests says so in the environment.
import { readFileSync } from "node:fs";
import { join } from "node:path";

function variable(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(
      `${name} is not set. These tests run against a fresh hub: ATOLL_URL, ATOLL_USERNAME, ATOLL_PASSWORD, and ` +
        "ATOLL_KUBECONFIGS, a folder with host.yaml, eu-1.yaml and us-1.yaml.",
    );
  return value;
}

export const hub = {
  url: variable("ATOLL_URL"),
  username: variable("ATOLL_USERNAME"),
  password: variable("ATOLL_PASSWORD"),
};

export function kubeconfigPath(name: string): string {
  return join(variable("ATOLL_KUBECONFIGS"), `${name}.yaml`);
}

export function kubeconfig(name: string): string {
  return readFileSync(kubeconfigPath(name), "utf8");
}
