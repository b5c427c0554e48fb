//! What the cloud holds for the ids we care about. Read by `arm`, compared by `plan`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ResourceId;

/// The live side of a comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Bodies as ARM returns them; an id that was asked for and is absent here does not exist.
    pub live: BTreeMap<ResourceId, Value>,
    /// Ids whose soft-deleted twin holds the name.
    pub soft_deleted: BTreeSet<ResourceId>,
    /// Everything in the resource group that is not among the ids asked for: `id` and `type`. Only filled for a destroy.
    pub strangers: Vec<ResourceId>,
}
