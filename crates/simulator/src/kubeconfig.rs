//! The kubeconfig of a member: what an administrator would be handed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The text, with the CA and the token inline.
pub(crate) fn write(name: &str, server: &str, certificate: &str, token: &str) -> String {
    // JSON strings are YAML strings, whatever the name is.
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let user = quote(&format!("{name}-admin"));
    let certificate = STANDARD.encode(certificate);
    let (name, server, token) = (quote(name), quote(server), quote(token));
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: {name}
  cluster:
    server: {server}
    certificate-authority-data: {certificate}
users:
- name: {user}
  user:
    token: {token}
contexts:
- name: {name}
  context:
    cluster: {name}
    user: {user}
current-context: {name}
"
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_yaml_that_names_its_parts_by_the_member() {
        let text = super::write("east-1", "https://127.0.0.1:6443", "CA", "secret");
        let value: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(value["current-context"], "east-1");
        assert_eq!(value["contexts"][0]["context"]["cluster"], value["clusters"][0]["name"]);
        assert_eq!(value["users"][0]["name"], value["contexts"][0]["context"]["user"]);
        assert_eq!(value["clusters"][0]["cluster"]["certificate-authority-data"], "Q0E=");
    }
}
