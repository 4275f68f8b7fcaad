//! `KubeFedCluster`: an address that may be dialled, a certificate authority that is one, a Secret the caller may use.
//!
//! What KubeFed allowed and this hub does not (unverified certificates, plain HTTP, proxies) is refused here, with the
//! field and what to write instead, rather than discovered by a probe.

use atoll_clusters::{AddressPolicy, Connection, ConnectionError, Credential};
use atoll_federation::ClusterName;
use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_kubeapi::{Admission, Attributes, Backend, Cause, Operation, RequestContext, Resource, Status, names};
use secrecy::SecretString;
use serde_json::Value;

use super::refuse;
use crate::hub::backend::HubBackend;
use crate::hub::registry::{parse_ca, parse_endpoint, secret_name};
use crate::state::AppState;

pub(super) async fn admit(
    backend: &HubBackend,
    state: &AppState,
    context: &RequestContext,
    resource: &Resource,
    admission: &Admission<'_>,
    new: &Value,
) -> Result<Vec<String>, Status> {
    if admission.operation == Operation::Delete || !admission.subresource.is_empty() {
        return Ok(Vec::new());
    }
    // What was stored under older rules must still be able to lose its finalizers.
    if admission.old.is_some_and(|old| old["spec"] == new["spec"]) {
        return Ok(Vec::new());
    }
    let mut causes = identity_causes(new, admission.old.is_none());
    causes.extend(spec_causes(&new["spec"], &state.clusters.network().policy));
    let named_before = admission.old.map(secret_name);
    if named_before != Some(secret_name(new))
        && let Err(denied) = may_use(backend, context, secret_name(new)).await
    {
        causes.push(Cause::new(
            "FieldValueForbidden",
            "spec.secretRef.name",
            format!("Forbidden: {}", denied.message),
        ));
    }
    refuse(resource, new, causes)?;
    Ok(warnings(admission.old, new))
}

/// Whoever names a Secret has it sent somewhere.
async fn may_use(backend: &HubBackend, context: &RequestContext, secret: &str) -> Result<(), Status> {
    let attributes = Attributes {
        verb: "get".into(),
        version: "v1".into(),
        resource: "secrets".into(),
        namespace: SYSTEM_NAMESPACE.into(),
        name: secret.into(),
        ..Attributes::default()
    };
    backend.authorize(context, &attributes).await
}

fn identity_causes(new: &Value, is_new: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    if new["metadata"]["namespace"] != SYSTEM_NAMESPACE {
        causes.push(Cause::invalid(
            "metadata.namespace",
            format!("Invalid value: clusters live in {SYSTEM_NAMESPACE}: write namespace: {SYSTEM_NAMESPACE}"),
        ));
    }
    let name = new["metadata"]["name"].as_str().unwrap_or_default();
    if is_new && let Err(error) = ClusterName::parse(name) {
        causes.push(Cause::invalid("metadata.name", format!("Invalid value: {error}")));
    }
    causes
}

/// What is wrong with the parts of a connection.
fn spec_causes(spec: &Value, policy: &AddressPolicy) -> Vec<Cause> {
    let mut causes = Vec::new();
    let given = |field: &str| spec[field].as_str().unwrap_or_default();
    let address = given("apiEndpoint");
    let endpoint = match parse_endpoint(address) {
        Err(why) if address.trim().is_empty() => {
            causes.push(Cause::required("spec.apiEndpoint", format!("Required value: {why}")));
            None
        }
        Err(why) => {
            causes.push(Cause::invalid(
                "spec.apiEndpoint",
                format!("Invalid value: {address:?}: {why}"),
            ));
            None
        }
        Ok(endpoint) => Some(endpoint),
    };
    if let Some(endpoint) = &endpoint
        && let Err(refused) = policy.judge_endpoint(endpoint)
    {
        causes.push(Cause::invalid(
            "spec.apiEndpoint",
            format!("Invalid value: {address:?}: {refused}"),
        ));
    }
    let ca = parse_ca(given("caBundle"));
    match (&ca, endpoint) {
        (Err(why), _) => causes.push(Cause::invalid("spec.caBundle", format!("Invalid value: {why}"))),
        (Ok(ca), Some(endpoint)) => {
            // Only the token is missing to make a connection, so any will do.
            let token = Credential::Token(SecretString::from("-"));
            causes.extend(
                Connection::new(endpoint, ca.clone(), None, token)
                    .err()
                    .map(|error| part_cause(&error)),
            );
        }
        (Ok(_), None) => {}
    }
    let secret = spec["secretRef"]["name"].as_str().unwrap_or_default();
    if secret.is_empty() {
        causes.push(Cause::required(
            "spec.secretRef.name",
            "Required value: names the Secret whose key token is a bearer token of the cluster",
        ));
    } else if !names::is_dns_subdomain(secret) {
        let why = "a Secret's name has lower-case letters, digits, '-' and '.'";
        causes.push(Cause::invalid(
            "spec.secretRef.name",
            format!("Invalid value: {secret:?}: {why}"),
        ));
    }
    causes.extend(exception_causes(spec));
    causes
}

fn part_cause(error: &ConnectionError) -> Cause {
    let field = match error {
        ConnectionError::TlsServerName => "spec.apiEndpoint",
        ConnectionError::CertificateAuthority
        | ConnectionError::Token
        | ConnectionError::ClientCertificate
        | ConnectionError::EncryptedKey
        | ConnectionError::ClientKey
        | ConnectionError::UnsupportedKey
        | ConnectionError::KeyMismatch
        | ConnectionError::Stored => "spec.caBundle",
    };
    Cause::invalid(field, format!("Invalid value: {error}"))
}

fn exception_causes(spec: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if spec["disabledTLSValidations"]
        .as_array()
        .is_some_and(|list| !list.is_empty())
    {
        causes.push(Cause::new(
            "FieldValueForbidden",
            "spec.disabledTLSValidations",
            "Forbidden: certificates are always verified; leave this empty, put the cluster's certificate authority into \
             spec.caBundle, and use an address that its certificate names",
        ));
    }
    if spec["proxyURL"].as_str().is_some_and(|url| !url.is_empty()) {
        causes.push(Cause::new(
            "FieldValueForbidden",
            "spec.proxyURL",
            "Forbidden: clusters are reached without a proxy; leave this empty",
        ));
    }
    causes
}

fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let Some(old) = old else {
        return vec![
            "the hub writes no role binding into a cluster that is joined by kubectl; bind the group \
             atoll:admins there for administrators to reach it through the hub"
                .to_owned(),
        ];
    };
    let address = |object: &Value| parse_endpoint(object["spec"]["apiEndpoint"].as_str().unwrap_or_default()).ok();
    if address(old) != address(new) && secret_name(old) == secret_name(new) {
        return vec![format!(
            "spec.apiEndpoint: the stored credential is not sent to a new address; write the Secret {} again, with its token",
            secret_name(new)
        )];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(spec: &Value) -> Vec<(String, String)> {
        let policy = AddressPolicy::default();
        spec_causes(spec, &policy)
            .into_iter()
            .map(|cause| (cause.field, cause.reason))
            .collect()
    }

    fn spec(field: &str, value: Value) -> Value {
        let mut spec = json!({"apiEndpoint": "https://api.example:6443", "secretRef": {"name": "eu-1"}});
        spec[field] = value;
        spec
    }

    #[test]
    fn each_wrong_field_is_named() {
        assert_eq!(fields(&spec("proxyURL", json!(""))), []);
        for (field, value, reason) in [
            ("apiEndpoint", json!("http://api.example"), "FieldValueInvalid"),
            ("apiEndpoint", json!("api.example/path"), "FieldValueInvalid"),
            ("apiEndpoint", json!(""), "FieldValueRequired"),
            ("apiEndpoint", json!("https://169.254.169.254"), "FieldValueInvalid"),
            ("apiEndpoint", json!("https://127.0.0.1:6443"), "FieldValueInvalid"),
            ("caBundle", json!("not base64!"), "FieldValueInvalid"),
            ("caBundle", json!("bm90IHBlbQ=="), "FieldValueInvalid"),
            ("disabledTLSValidations", json!(["*"]), "FieldValueForbidden"),
            ("proxyURL", json!("socks5://proxy:1080"), "FieldValueForbidden"),
        ] {
            assert_eq!(
                fields(&spec(field, value.clone())),
                [(format!("spec.{field}"), reason.to_owned())],
                "{field}: {value}"
            );
        }
        let nameless = fields(&spec("secretRef", json!({"name": ""})));
        assert_eq!(
            nameless,
            [("spec.secretRef.name".to_owned(), "FieldValueRequired".to_owned())]
        );
        let odd = fields(&spec("secretRef", json!({"name": "../x"})));
        assert_eq!(
            odd,
            [("spec.secretRef.name".to_owned(), "FieldValueInvalid".to_owned())]
        );
    }

    #[test]
    fn a_cluster_is_called_by_a_label_and_lives_in_the_system_namespace() {
        let object = json!({"metadata": {"name": "eu.1", "namespace": "shop"}});
        let fields: Vec<String> = identity_causes(&object, true)
            .into_iter()
            .map(|cause| cause.field)
            .collect();
        assert_eq!(fields, ["metadata.namespace", "metadata.name"]);
    }

    #[test]
    fn a_new_address_is_warned_about_only_when_the_secret_stays() {
        let object =
            |endpoint: &str, secret: &str| json!({"spec": {"apiEndpoint": endpoint, "secretRef": {"name": secret}}});
        let old = object("a.example", "s");
        assert_eq!(warnings(Some(&old), &object("b.example", "s")).len(), 1);
        assert_eq!(warnings(Some(&old), &object("b.example", "t")).len(), 0);
        assert_eq!(warnings(Some(&old), &object("https://a.example:443", "s")).len(), 0);
    }
}
