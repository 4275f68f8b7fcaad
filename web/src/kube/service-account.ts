/** The object names that the hub uses on a member when it is given an account of its own. */
const NAMESPACE = "atoll-system";
const ACCOUNT = "atoll";

/**
 * Commands that make an account for the hub and print a kubeconfig it accepts. For kubeconfigs that sign in by running
 * a program (EKS, GKE, AKS): the hub runs nobody's programs.
 */
export function serviceAccountScript(): string {
  return `kubectl create namespace ${NAMESPACE}
kubectl -n ${NAMESPACE} create serviceaccount ${ACCOUNT}
kubectl create clusterrolebinding ${NAMESPACE}:${ACCOUNT} \\
  --clusterrole=cluster-admin --serviceaccount=${NAMESPACE}:${ACCOUNT}
kubectl apply -f - <<'END'
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  name: ${ACCOUNT}
  namespace: ${NAMESPACE}
  annotations:
    kubernetes.io/service-account.name: ${ACCOUNT}
END
until kubectl -n ${NAMESPACE} get secret ${ACCOUNT} -o jsonpath='{.data.token}' | grep -q .; do sleep 1; done
cat <<END
apiVersion: v1
kind: Config
current-context: ${ACCOUNT}
clusters:
- name: ${ACCOUNT}
  cluster:
    server: $(kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}')
    certificate-authority-data: $(kubectl -n ${NAMESPACE} get secret ${ACCOUNT} -o jsonpath='{.data.ca\\.crt}')
users:
- name: ${ACCOUNT}
  user:
    token: $(kubectl -n ${NAMESPACE} get secret ${ACCOUNT} -o jsonpath='{.data.token}' | base64 -d)
contexts:
- name: ${ACCOUNT}
  context: {cluster: ${ACCOUNT}, user: ${ACCOUNT}}
END
`;
}
