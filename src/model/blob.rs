//! Blobs, as the state's keeper needs them: plain words and one trait. `arm` speaks to Azure, `store` asks through this.

use std::collections::BTreeMap;

use async_trait::async_trait;
use uuid::Uuid;

/// A blob as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob {
    /// The content.
    pub body: Vec<u8>,
    /// Its version: changes with every write.
    pub etag: String,
    /// What is noted on it, names in lower case.
    pub notes: BTreeMap<String, String>,
    /// Whether somebody holds its lease.
    pub is_leased: bool,
}

/// Under which conditions a write is taken. Azure checks them together with the write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Only while this lease is held.
    pub lease: Option<Uuid>,
    /// Only onto this version.
    pub etag: Option<String>,
    /// Only where nothing is.
    pub is_new: bool,
}

/// What to do with a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Take it for so many seconds, 15 to 60 (Azure's limits).
    Acquire(u32),
    /// Hold it for as long again.
    Renew,
    /// Let it go.
    Release,
    /// End it, whoever holds it.
    Break,
}

/// Why a request was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobFault {
    /// Blob or container is not there.
    Absent,
    /// A condition of the guard does not hold, or what is to be made is there.
    Condition,
    /// Somebody else holds the lease.
    Leased,
    /// The lease named is not held any more.
    LeaseLost,
    /// Nobody is signed in.
    SignIn,
    /// Signed in, but without the rights.
    Denied,
    /// No answer, or the service is busy.
    Unreachable,
    /// Anything else.
    Refused,
}

/// An error with Azure's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BlobError {
    /// The class.
    pub fault: BlobFault,
    /// Azure's code; empty without an answer.
    pub code: String,
    /// What happened, and on which request.
    pub message: String,
}

/// A container of blobs. Every request may be repeated by whoever carries it: the conditions make a second effect
/// impossible.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Makes the container; one that is there is fine.
    ///
    /// # Errors
    /// When Azure refuses or cannot be reached.
    async fn create(&self) -> Result<(), BlobError>;

    /// Reads a blob; `None` where it or its container is not there.
    ///
    /// # Errors
    /// When Azure refuses or cannot be reached.
    async fn get(&self, name: &str) -> Result<Option<Blob>, BlobError>;

    /// Replaces a blob and its notes as a whole; returns the new version.
    ///
    /// # Errors
    /// When the guard does not hold, Azure refuses or cannot be reached.
    async fn put(
        &self,
        name: &str,
        body: &[u8],
        notes: &BTreeMap<String, String>,
        guard: &Guard,
    ) -> Result<String, BlobError>;

    /// Replaces the notes alone; returns the new version.
    ///
    /// # Errors
    /// When the guard does not hold, Azure refuses or cannot be reached.
    async fn annotate(&self, name: &str, notes: &BTreeMap<String, String>, guard: &Guard) -> Result<String, BlobError>;

    /// Adds to the end of a blob that has `at` bytes; at 0 it is made anew.
    ///
    /// # Errors
    /// When it has another length, Azure refuses or cannot be reached.
    async fn append(&self, name: &str, at: u64, text: &[u8]) -> Result<(), BlobError>;

    /// Removes a blob; one that is not there is fine.
    ///
    /// # Errors
    /// When the guard does not hold, Azure refuses or cannot be reached.
    async fn remove(&self, name: &str, guard: &Guard) -> Result<(), BlobError>;

    /// Takes, renews, ends a lease. `id` is ours to choose, so that a repeat after a lost reply is no second taker.
    ///
    /// # Errors
    /// When somebody else holds it, it is lost, Azure refuses or cannot be reached.
    async fn lease(&self, name: &str, act: Lease, id: Uuid) -> Result<(), BlobError>;
}
