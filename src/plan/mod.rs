//! What must happen, and why. Pure: desired + state + observed → plan. No IO, no clock, no randomness.

use serde::{Deserialize, Serialize};

use crate::model::{Address, ResourceId, Step};

/// What will happen. Serialisable, so that it can be shown, stored and compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// In an order that respects every need.
    pub steps: Vec<Step>,
    /// Resources that are as they should be.
    pub kept: Vec<Address>,
    /// Resources in the group that are not ours and stay (destroy only).
    pub strangers: Vec<ResourceId>,
}

impl Plan {
    /// Whether nothing would change in Azure. (Adopting and forgetting change the state only.)
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
