// Kubeconfigs that the hub must refuse, made of one that it takes.

/** Signs in by running a program, as those of EKS, GKE and AKS do. */
export const RUNS_A_PROGRAM = `apiVersion: v1
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

/** A certificate authority that signed nothing. */
const STRANGER =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJvRENDQVVXZ0F3SUJBZ0lVVlRJWndDU3BCZk5hQXY3WU1MeXFDell4Yks4" +
  "d0NnWUlLb1pJemowRUF3SXcKSkRFaU1DQUdBMVVFQXd3WmMyOXRaV0p2WkhrZ1pXeHpaU2R6SUdGMWRHaHZjbWwwZVRBZ0Z3MHlO" +
  "akV4TWpVdwpPVE01TURWYUdBOHlNVEkyTVRFd01UQTVNemt3TlZvd0pERWlNQ0FHQTFVRUF3d1pjMjl0WldKdlpIa2daV3h6ClpT" +
  "ZHpJR0YxZEdodmNtbDBlVEJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSEEwSUFCSmJRbFRvanBuVkwKSVpUb29kUXdSNzho" +
  "aHFTRFlNdGdNNXJnak52a0trNzFudU9FVVB3M28waHhWRDVDVHRiU0ZPSVFNcERWSXI0RAo2T2xKWHNhL25nYWpVekJSTUIwR0Ex" +
  "VWREZ1FXQkJSNGtsVVQyQmpiUktMUjQvWldvb1ZjTHJjeDZEQWZCZ05WCkhTTUVHREFXZ0JSNGtsVVQyQmpiUktMUjQvWldvb1Zj" +
  "THJjeDZEQVBCZ05WSFJNQkFmOEVCVEFEQVFIL01Bb0cKQ0NxR1NNNDlCQU1DQTBrQU1FWUNJUUN5dFJJVll2UnpJZW5vQTFMMVBo" +
  "SmQvMzNJemtKYmF6SlZaZEErRnpVVApkd0loQU1OSGx0bDhGRWhOZ2xDZi9ySFJDcXlzeXBxNFEwMFpiQWJKc1ZVZXFBNEkKLS0t" +
  "LS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";

function changed(kubeconfig: string, pattern: RegExp, replacement: string): string {
  const text = kubeconfig.replace(pattern, replacement);
  if (text === kubeconfig) throw new Error(`the kubeconfig has nothing like ${pattern}`);
  return text;
}

export function withOtherAuthority(kubeconfig: string): string {
  return changed(kubeconfig, /(certificate-authority-data"?\s*:\s*"?)[\w+/=]+/, `$1${STRANGER}`);
}

export function withFilePath(kubeconfig: string): string {
  return changed(
    kubeconfig,
    /certificate-authority-data("?\s*:\s*"?)[\w+/=]+/,
    "certificate-authority$1/etc/kubernetes/pki/ca.crt",
  );
}

/** Nobody listens on port 1. */
export function withDeadAddress(kubeconfig: string): string {
  return changed(kubeconfig, /(server"?\s*:\s*"?)https:\/\/[^\s"']+/, "$1https://127.0.0.1:1");
}
