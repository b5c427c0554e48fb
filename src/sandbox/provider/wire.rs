//! How a provider answers writes: status codes, headers, polling URLs (`azure-facts` 2.1 and 11). Data and spelling.

use crate::model::ResourceId;

use super::Card;

/// Which polling headers a reply carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Headers {
    /// None: the resource itself tells.
    None,
    /// `Azure-AsyncOperation`.
    Async,
    /// `Location`.
    Location,
    /// Both.
    Both,
}

/// How a provider spells its polling URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Paths {
    /// `locations/{loc}/operations/{guid}` and `operationResults`, with signed query.
    Network,
    /// Below the resource group, without a location.
    Dns,
    /// `locations/{loc}/asyncoperations/{guid}?monitor=true`.
    Storage,
    /// One path, `monitor=true` for the `Location` flavour.
    Compute,
    /// Below the registry.
    Registry,
    /// `workspaceOperationsStatus`.
    Workspace,
    /// `/subscriptions/{sub}/operationresults/{job}`.
    Group,
    /// `locations/{loc}/operationStatuses/{guid}` and `operationResults`.
    Plain,
}

/// The habits of one provider.
#[expect(clippy::struct_excessive_bools, reason = "independent habits, named one by one")]
pub(in crate::sandbox) struct Wire {
    /// Status of a create that takes time.
    pub(in crate::sandbox) created: u16,
    /// Status of an update that takes time.
    pub(in crate::sandbox) updated: u16,
    /// Status of a create answered at once.
    pub(in crate::sandbox) made: u16,
    /// Whether the accepting reply has no body.
    pub(in crate::sandbox) empty: bool,
    pub(in crate::sandbox) put: Headers,
    pub(in crate::sandbox) delete: Headers,
    /// Whether writes are answered at once whatever the table of durations says of unlisted types.
    pub(in crate::sandbox) at_once: bool,
    /// Whether updates are.
    pub(in crate::sandbox) update_at_once: bool,
    pub(in crate::sandbox) paths: Paths,
    /// `provisioningState` while a create runs.
    pub(in crate::sandbox) creating: &'static str,
    /// Whether bodies carry `provisioningState` at all.
    pub(in crate::sandbox) stateful: bool,
}

impl Wire {
    pub(super) const PLAIN: Self = Self {
        created: 201,
        updated: 200,
        made: 201,
        empty: false,
        put: Headers::Async,
        delete: Headers::Both,
        at_once: false,
        update_at_once: false,
        paths: Paths::Plain,
        creating: "Creating",
        stateful: true,
    };

    /// A provider that answers every write at once.
    pub(super) const AT_ONCE: Self = Self { at_once: true, ..Self::PLAIN };
}

/// The path and query of the status document (`monitor == false`) or of the `Location` flavour.
pub(in crate::sandbox) fn polling(
    card: &Card,
    id: &ResourceId,
    place: &str,
    operation: &str,
    version: &str,
    monitor: bool,
) -> String {
    let subscription = format!("/subscriptions/{}", id.subscription().unwrap_or_default());
    let regional = format!("{subscription}/providers/{}/locations/{place}", card.namespace());
    let pick = |status: &'static str, result: &'static str| if monitor { result } else { status };
    let plain = format!("api-version={version}");
    match card.wire.paths {
        Paths::Network => {
            let word = pick("operations", "operationResults");
            format!("{regional}/{word}/{operation}?{plain}&t=1&c=sandbox&s={}", signature(operation))
        }
        Paths::Dns => {
            let group = id.resource_group().unwrap_or_default();
            let word = pick("privateDnsOperationStatuses", "privateDnsOperationResults");
            let scope = format!("{subscription}/resourceGroups/{group}/providers/Microsoft.Network");
            format!("{scope}/{word}/{operation}?{plain}")
        }
        Paths::Storage => format!("{regional}/asyncoperations/{operation}?monitor=true&{plain}"),
        Paths::Compute => format!("{regional}/operations/{operation}?p=sandbox&{}{plain}", pick("", "monitor=true&")),
        Paths::Registry => {
            let word = pick("operationStatuses", "operationResults");
            format!("{id}/{word}/registries-{operation}?{plain}")
        }
        Paths::Workspace => {
            let word = pick("workspaceOperationsStatus", "workspaceOperationsResult");
            format!("{regional}/{word}/{operation}?{plain}")
        }
        Paths::Group => format!("{subscription}/operationresults/{operation}?{plain}"),
        Paths::Plain => format!("{regional}/{}/{operation}?{plain}", pick("operationStatuses", "operationResults")),
    }
}

/// What Network appends to its polling URLs and wants back byte for byte.
pub(in crate::sandbox) fn signature(operation: &str) -> String {
    operation.chars().filter(|c| *c != '-').rev().collect()
}
