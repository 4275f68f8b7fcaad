//! Stands in for `atoll_controllers` until that crate is there.
#![allow(missing_docs)]
use atoll_clusters::Clusters;
use atoll_federation::TypeDescriptor;
use atoll_federation::preview::Preview;
use atoll_store::Store;
use serde_json::Value;

#[derive(Clone)]
pub struct Controllers;
pub struct Options;
impl Options {
    pub fn new(_: impl Into<String>, _: impl Into<String>) -> Self {
        Self
    }
}
#[derive(Default)]
pub struct Counts {
    pub queued: u64,
    pub plans: u64,
    pub writes: u64,
    pub failures: u64,
}
pub struct Left {
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub message: String,
}
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct Error;
impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::internal(error)
    }
}
impl Controllers {
    pub fn start(_: Store, _: Clusters, _: Options) -> Self {
        Self
    }
    pub async fn stop(&self) {}
    pub fn is_leader(&self) -> bool {
        true
    }
    pub async fn preview(&self, _: &'static TypeDescriptor, _: &Value) -> Result<Preview, Error> {
        Err(Error)
    }
    pub fn counts(&self) -> Counts {
        Counts::default()
    }
    pub async fn delete_managed(&self, _: &str) -> Result<Vec<Left>, Error> {
        Ok(Vec::new())
    }
}
