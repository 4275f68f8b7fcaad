//! `/openapi/v2` as protobuf, in the messages of gnostic's `openapiv2.Document`. The API machinery of our days reads version 3.

use serde_json::Value;

use super::schema_name;
use crate::resource::{Catalog, Resource};

/// An empty document. kubectl before 1.29 fails without one; later ones need none. What an older one would make of
/// structures without their merge keys, it makes better of the types that it knows itself.
pub fn empty() -> Vec<u8> {
    document(&[])
}

/// The kinds with the types of their outermost fields, for a client that only looks whether a kind has a structure:
/// kubefedctl makes a definition of it that the hub does not need.
pub fn kinds(catalog: &Catalog) -> Vec<u8> {
    let definitions: Vec<u8> = catalog
        .iter()
        .flat_map(|resource| bytes(1, &definition(resource)))
        .collect();
    document(&bytes(9, &definitions))
}

/// swagger, info (title and version), paths, and what comes after them.
fn document(rest: &[u8]) -> Vec<u8> {
    let info = [bytes(1, b"atoll"), bytes(2, b"1")].concat();
    [bytes(1, b"2.0"), bytes(2, &info), bytes(8, b""), rest.to_vec()].concat()
}

/// A `NamedSchema` of an object with properties, and the extension by which it is found.
fn definition(resource: &Resource) -> Vec<u8> {
    let fields = resource.schema.node();
    let properties = fields.keyword("properties").as_object().into_iter().flatten();
    let properties: Vec<u8> = properties
        .flat_map(|(name, _)| {
            let kind = fields.field(name).json_type().unwrap_or("object");
            bytes(1, &named(name, &of_type(kind)))
        })
        .collect();
    let kind = format!(
        "- group: {}\n  kind: {}\n  version: {}\n",
        Value::from(&*resource.group),
        resource.kind,
        resource.version
    );
    let extension = named("x-kubernetes-group-version-kind", &bytes(2, kind.as_bytes()));
    let schema = [of_type("object"), bytes(25, &properties), bytes(31, &extension)].concat();
    named(&schema_name(resource), &schema)
}

fn of_type(name: &str) -> Vec<u8> {
    bytes(22, &bytes(1, name.as_bytes()))
}

/// The messages of names and values have them in the same places.
fn named(name: &str, value: &[u8]) -> Vec<u8> {
    [bytes(1, name.as_bytes()), bytes(2, value)].concat()
}

/// A field of bytes, a text or a message: wire type 2.
fn bytes(field: u64, content: &[u8]) -> Vec<u8> {
    let mut encoded = varint(field << 3 | 2);
    encoded.extend(varint(content.len() as u64));
    encoded.extend(content);
    encoded
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut encoded = Vec::new();
    while number >= 0x80 {
        encoded.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    encoded.push(number as u8);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_document_is_what_clients_read() {
        assert_eq!(empty(), b"\x0a\x032.0\x12\x0a\x0a\x05atoll\x12\x011\x42\x00");
    }

    #[test]
    fn lengths_above_127_take_more_bytes() {
        assert_eq!(varint(300), [0xac, 0x02]);
        assert_eq!(bytes(31, &[0; 200])[..4], [0xfa, 0x01, 0xc8, 0x01]);
    }

    #[test]
    fn each_kind_is_found_by_its_extension() {
        let kind = Resource::built_in("apps", "v1", "Deployment", "deployments").unwrap();
        let text = String::from_utf8_lossy(&kinds(&Catalog::new([kind]))).into_owned();
        assert!(text.contains("io.k8s.api.apps.v1.Deployment"), "{text}");
        assert!(
            text.contains("- group: \"apps\"\n  kind: Deployment\n  version: v1\n"),
            "{text}"
        );
        assert!(text.contains("spec"), "{text}");
    }
}
