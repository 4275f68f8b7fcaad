//! What a member is asked about itself: version, identity, nodes.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::health::Facts;
use crate::nodes::{NodeCensus, NodePage};
use crate::request::{OwnError, OwnRequest};
use crate::transport::Ask;

/// Nodes per page: a node tells of each image it holds, and may be tens of kilobytes.
const PAGE: usize = 200;
/// Most pages; Kubernetes itself ends at 5,000 nodes.
const MAX_PAGES: usize = 250;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

#[derive(Deserialize)]
struct Namespace {
    metadata: NamespaceMetadata,
}

#[derive(Deserialize)]
struct NamespaceMetadata {
    uid: String,
}

/// `gitVersion` of the API server.
pub(crate) async fn ask_version(asker: &mut impl Ask) -> Result<String, OwnError> {
    let answer = asker.ask(OwnRequest::get("/version")).await?;
    let version: Version = answer.read_json(asker.scrub())?;
    Ok(asker.scrub().clean(&version.git_version, 64))
}

/// UID of `kube-system`, which no cluster is without and no two share.
pub(crate) async fn ask_identity(asker: &mut impl Ask) -> Result<String, OwnError> {
    let answer = asker
        .ask(OwnRequest::get_object("/api/v1/namespaces/kube-system"))
        .await?;
    let namespace: Namespace = answer.read_json(asker.scrub())?;
    let uid = asker.scrub().clean(&namespace.metadata.uid, 64);
    if uid.is_empty() {
        return Err(OwnError::NotKubernetes(
            "the namespace kube-system has no UID".to_owned(),
        ));
    }
    Ok(uid)
}

/// Counts the nodes and what they have; `facts` is untouched unless every page came.
pub(crate) async fn ask_nodes(asker: &mut impl Ask, facts: &mut Facts) -> Result<(), OwnError> {
    let mut census = NodeCensus::default();
    let mut next: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut path = format!("/api/v1/nodes?limit={PAGE}");
        if let Some(token) = &next {
            path.push_str("&continue=");
            path.extend(utf8_percent_encode(token, NON_ALPHANUMERIC));
        }
        let answer = asker.ask(OwnRequest::get(path)).await?;
        let page: NodePage = answer.read_json(asker.scrub())?;
        census.add(&page);
        next = page.next().map(str::to_owned);
        if next.is_none() {
            census.write(facts);
            return Ok(());
        }
    }
    Err(OwnError::Broken(format!(
        "the list of nodes has more than {MAX_PAGES} pages"
    )))
}
