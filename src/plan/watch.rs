//! What must be read from Azure before a plan can be made. Reads nothing itself.

use std::collections::BTreeMap;

use super::{Kinds, steps};
use crate::kind;
use crate::model::{Desired, ResourceId, State};

/// One id to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The id; the twin's where Azure's own twin stands in.
    pub id: ResourceId,
    /// The version to ask with.
    pub api_version: String,
}

/// Every id that a plan depends on: of desired resources, of known ones, and of creates of which no end is known.
/// Ordered by id.
#[must_use]
pub fn watch(desired: &[Desired], state: &State) -> Vec<Watched> {
    watch_with(&kind::find, desired, state)
}

/// [`watch`] with another catalogue of kinds. Desired resources of unknown kind are left out: `plan` names them.
#[must_use]
pub fn watch_with(kinds: Kinds<'_>, desired: &[Desired], state: &State) -> Vec<Watched> {
    let mut all: BTreeMap<ResourceId, String> = BTreeMap::new();
    for (address, known) in steps::leftovers(state) {
        let api_version = kinds(address.kind()).map_or(known.api_version, |kind| kind.api_version.to_owned());
        all.insert(known.alias.unwrap_or(known.id), api_version);
    }
    for open in state.open.values() {
        all.entry(open.resource.clone()).or_insert_with(|| open.api_version.clone());
    }
    for d in desired {
        // A twin stands in under its own id.
        let twin = state.resources.get(&d.address).is_some_and(|known| known.alias.is_some() && known.id == d.id);
        if let (false, Some(kind)) = (twin, kinds(d.address.kind())) {
            all.insert(d.id.clone(), kind.api_version.to_owned());
        }
    }
    all.into_iter().map(|(id, api_version)| Watched { id, api_version }).collect()
}
