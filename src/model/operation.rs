//! Where to ask how a request goes. Plain data that survives a restart; `arm` knows how to poll it.

use serde::{Deserialize, Serialize};

/// A running operation. `url` holds path and query only: the token must never follow a header to another host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// How its replies are to be read.
    pub flavour: Flavour,
    /// Path and query, byte for byte as Azure gave them (they may be signed).
    pub url: String,
    /// The pause Azure asked for, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// The four ways in which ARM reports progress (ARM RPC, asynchronous API reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    /// `Azure-AsyncOperation`: a status document with `status` and `error`.
    AsyncOperation,
    /// `Location`: 202 while running.
    Location,
    /// The resource itself: `properties.provisioningState`.
    Provisioning,
    /// A delete without a header: done when the resource answers 404.
    Gone,
}
