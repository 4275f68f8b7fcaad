//! Member clusters in memory, served over the Kubernetes API.
