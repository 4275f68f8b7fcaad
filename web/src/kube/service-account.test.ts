import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { serviceAccountScript } from "./service-account";

/** Stands for kubectl: says every call on standard error, and answers what the script reads. */
const KUBECTL = `kubectl() {
  echo "kubectl $*" >&2
  case "$*" in
    "apply -f -") cat > /dev/null ;;
    *server*) printf https://10.0.0.7:6443 ;;
    *"get secret"*ca*) printf Q0E= ;;
    *"get secret"*token*) printf c2VjcmV0 ;;
  esac
}
`;

describe("the commands that make an account", () => {
  it("end with a kubeconfig made of what the cluster answered", () => {
    const printed = execFileSync("sh", ["-eu"], {
      input: KUBECTL + serviceAccountScript(),
      stdio: ["pipe", "pipe", "ignore"],
    });
    const kubeconfig = printed.toString();
    expect(kubeconfig).toMatch(/^apiVersion: v1\nkind: Config\n/);
    expect(kubeconfig).toContain("server: https://10.0.0.7:6443\n");
    expect(kubeconfig).toContain("certificate-authority-data: Q0E=\n");
    expect(kubeconfig).toContain("token: secret\n");
  });
});
