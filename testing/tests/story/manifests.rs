//! What is applied, as a person would write it.

/// Something on one member, to log, exec and forward with.
pub(crate) const TOOLS: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata: {name: tools, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: tools}}
  template:
    metadata: {labels: {app: tools}}
    spec:
      containers: [{name: tools, image: registry.example/tools}]
";

/// A namespace on every production cluster.
pub(crate) const NAMESPACE: &str = r"
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: types.kubefed.io/v1beta1
kind: FederatedNamespace
metadata: {name: shop, namespace: shop}
spec:
  placement:
    clusterSelector: {matchLabels: {tier: production}}
";

/// A Deployment that is bigger and newer in us-1.
pub(crate) const DEPLOYMENT: &str = r"
apiVersion: types.kubefed.io/v1beta1
kind: FederatedDeployment
metadata: {name: web, namespace: shop}
spec:
  placement:
    clusterSelector: {matchLabels: {tier: production}}
  template:
    metadata: {labels: {app: web}}
    spec:
      replicas: 2
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          containers: [{name: web, image: registry.example/shop/web:1.0}]
  overrides:
  - clusterName: us-1
    clusterOverrides:
    - {path: /spec/replicas, value: 3}
    - {path: /spec/template/spec/containers/0/image, value: registry.example/shop/web:1.1}
";

/// A config map that is the same everywhere.
pub(crate) const CONFIG_MAP: &str = r"
apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata: {name: settings, namespace: shop}
spec:
  placement:
    clusterSelector: {matchLabels: {tier: production}}
  template:
    data: {greeting: hello}
";
