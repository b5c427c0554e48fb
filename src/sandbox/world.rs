//! Everything the sandbox remembers: resources, operations, soft-deleted twins. Plain data; no clock, no files.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::model::ResourceId;

use super::fault::Fault;

/// Sandbox time zero: 2026-11-23T12:00:00Z.
const EPOCH: i64 = 1_795_435_200;

/// One resource as Azure keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// The id as it was first written.
    pub id: ResourceId,
    /// The type, spelled as in the table of types.
    pub arm_type: String,
    /// What a GET returns, without `provisioningState` and without what is looked up in other resources.
    pub body: Value,
    /// `Succeeded`, `Updating`, `Creating`, `Deleting`, `Failed`, ….
    pub state: String,
    /// When it was made.
    pub created: Duration,
}

impl Resource {
    /// A resource that somebody else's operation makes, complete at once.
    pub(super) fn made(id: ResourceId, arm_type: &str, body: Value, created: Duration) -> Self {
        Self { id, arm_type: arm_type.to_owned(), body, state: "Succeeded".to_owned(), created }
    }
}

/// A running or ended long operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Operation {
    pub(super) act: OpAct,
    /// The resource, by key.
    pub(super) target: String,
    pub(super) arm_type: String,
    pub(super) started: Duration,
    pub(super) ends: Duration,
    pub(super) done: bool,
    /// Keys of resources that must not be written meanwhile, besides the target.
    pub(super) holds: BTreeSet<String>,
    /// Set by an injected fault: how it will fail.
    pub(super) failure: Option<(String, String)>,
    /// The extra query of a delete: `force`, `forceToPurge`.
    pub(super) purge: bool,
}

/// What an operation does when its time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OpAct {
    Put,
    Delete,
    Purge,
    /// Application Insights makes its smart detector by itself, without anybody asking.
    Sibling,
}

/// A soft-deleted vault, ML workspace or log workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The resource as it was.
    pub resource: Resource,
    /// When it was deleted.
    pub deleted: Duration,
    /// When Azure purges it by itself.
    pub purges: Duration,
    /// Whether purge protection forbids an earlier purge.
    pub protected: bool,
}

/// A whole subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// Name space of every identifier made here.
    seed: Uuid,
    /// Identifiers made so far.
    made: u64,
    /// The only subscription.
    pub subscription: String,
    /// Its tenant.
    pub tenant: String,
    /// The latest sandbox time seen.
    pub now: Duration,
    /// Resources by lower-cased id, resource groups included.
    pub resources: BTreeMap<String, Resource>,
    pub(super) operations: BTreeMap<String, Operation>,
    /// Private addresses in use: subnet key → address → key of the holder.
    pub(super) leases: BTreeMap<String, BTreeMap<Ipv4Addr, String>>,
    /// Soft-deleted resources by lower-cased id.
    pub tombstones: BTreeMap<String, Tombstone>,
    /// Users and groups of the directory, besides the identities of resources.
    #[serde(default)]
    pub users: BTreeSet<String>,
    /// Global names that somebody else in the world holds: storage accounts, vaults, registries.
    #[serde(default)]
    pub taken: BTreeSet<String>,
    /// Namespaces that are not registered, lower case.
    #[serde(default)]
    pub unregistered: BTreeSet<String>,
    /// Faults to inject, in order.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

impl World {
    /// An empty subscription; the same seed makes the same identifiers in the same order.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let seed = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("privaml-sandbox:{seed}").as_bytes());
        let name = |what: &str| Uuid::new_v5(&seed, what.as_bytes()).to_string();
        Self {
            subscription: name("subscription"),
            tenant: name("tenant"),
            seed,
            made: 0,
            now: Duration::ZERO,
            resources: BTreeMap::new(),
            operations: BTreeMap::new(),
            leases: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            users: BTreeSet::new(),
            taken: BTreeSet::new(),
            unregistered: BTreeSet::new(),
            faults: Vec::new(),
        }
    }

    /// Whether no resource exists; tombstones do not count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// The next identifier.
    pub(super) fn guid(&mut self) -> String {
        self.made += 1;
        Uuid::new_v5(&self.seed, &self.made.to_be_bytes()).to_string()
    }

    /// A fresh `W/"…"`.
    pub(super) fn etag(&mut self) -> String {
        format!("W/\"{}\"", self.guid())
    }

    /// The resource of that id.
    #[must_use]
    pub fn get(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.get(&id.key())
    }

    /// Resources of this type, compared without case.
    pub(super) fn of_type<'a>(&'a self, arm_type: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.resources.values().filter(move |r| r.arm_type.eq_ignore_ascii_case(arm_type))
    }

    /// Everything below `id`, itself not included.
    pub(super) fn below<'a>(&'a self, id: &'a ResourceId) -> impl Iterator<Item = &'a Resource> {
        self.resources.values().filter(move |r| r.id != *id && r.id.is_within(id))
    }

    /// The running operation that works on `key` or holds it.
    pub(super) fn busy(&self, key: &str) -> Option<(&String, &Operation)> {
        self.operations
            .iter()
            .find(|(_, op)| !op.done && op.act != OpAct::Sibling && (op.target == key || op.holds.contains(key)))
    }

    /// Whether the directory knows this object: a user, or the identity of a resource.
    pub(super) fn knows_principal(&self, principal: &str) -> bool {
        self.users.contains(principal) || self.identity(principal).is_some()
    }

    /// The resource whose identity has this principal.
    pub(super) fn identity(&self, principal: &str) -> Option<&Resource> {
        let is = |r: &&Resource| {
            ["/identity/principalId", "/properties/principalId"]
                .iter()
                .any(|at| r.body.pointer(at).and_then(Value::as_str) == Some(principal))
                && !r.arm_type.starts_with("Microsoft.Authorization")
        };
        self.resources.values().find(is)
    }
}

/// `2026-11-23T12:00:05Z`
pub(super) fn stamp(at: Duration) -> String {
    let time = OffsetDateTime::from_unix_timestamp(EPOCH)
        .map_or(OffsetDateTime::UNIX_EPOCH, |epoch| epoch + Duration::from_secs(at.as_secs()));
    time.format(&Rfc3339).unwrap_or_default()
}

/// The `systemData` block of a resource made at `created` and changed at `now`.
pub(super) fn system_data(created: Duration, now: Duration) -> Value {
    json!({
        "createdBy": "sandbox", "createdByType": "Application", "createdAt": stamp(created),
        "lastModifiedBy": "sandbox", "lastModifiedByType": "Application", "lastModifiedAt": stamp(now),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_identifiers() {
        let (mut a, mut b, mut c) = (World::new(1), World::new(1), World::new(2));
        assert_eq!((a.guid(), a.guid()), (b.guid(), b.guid()));
        assert_ne!(a.guid(), c.guid());
        assert_eq!(stamp(Duration::from_secs(65)), "2026-11-23T12:01:05Z");
    }
}
