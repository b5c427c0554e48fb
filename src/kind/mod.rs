//! How one ARM type is spelled, compared and completed: a catalogue, one type a file.
//! The only place that names an SDK model; from here on a body is JSON.

use serde_json::Value;

pub mod body;
pub mod durations;

/// The version of every `Microsoft.Network` type but private DNS (`azure-facts` 2.0).
pub(crate) const NETWORK: &str = "2025-01-01";

/// Everything the generic stages must know of one ARM type. Data, so that a kind's file reads like a card.
///
/// Paths inside a body are written like JSON pointers in which `*` stands for every item of a list:
/// `/properties/subnets/*/properties/addressPrefix`.
pub struct Kind {
    /// Our word for it, first half of an [`Address`](crate::model::Address).
    pub name: &'static str,
    /// ARM's word.
    pub arm_type: &'static str,
    /// The version that requests are sent with (`azure-facts` 2.0).
    pub api_version: &'static str,
    /// Whether the type takes `tags`, and so can carry the ownership tag.
    pub tagged: bool,
    /// A change below one of these paths means delete and create.
    pub immutable: &'static [&'static str],
    /// Lists whose items are told apart by a member (`name`), not by position: (path, member).
    pub keyed: &'static [(&'static str, &'static str)],
    /// Keyed lists in which strangers may keep items of their own: not drift, and carried along in our PUT.
    /// In every other list that we say, an item that we did not say is drift.
    pub carried: &'static [&'static str],
    /// Values, other than lists, that somebody else may set where we say nothing: carried along in our PUT.
    pub kept: &'static [&'static str],
    /// Plain lists whose order means nothing.
    pub sets: &'static [&'static str],
    /// Values whose letter case means nothing to the service (enumerations it echoes differently).
    pub caseless: &'static [&'static str],
    /// Paths that Azure never returns: compared with what we said last, never with what is there.
    pub hidden: &'static [&'static str],
    /// Paths to read back once the resource is there: outputs, and what `Late` values refer to.
    pub reports: &'static [&'static str],
    /// Which other writes must not overlap with one of this type.
    pub turn: Turn,
    /// Whether deleting it loses something that cannot be made again.
    pub holds: Holds,
    /// How it goes away.
    pub delete: Delete,
    /// Says of a live body whether the resource is usable, beyond `provisioningState`.
    pub settled: fn(&Value) -> Settled,
    /// The body to write after the given one is done, where the service heeds only part of that one.
    pub follow_up: fn(&Value) -> Option<Value>,
}

/// Which writers take turns. Azure answers overlapping writes on one parent with 409 (`azure-facts` 2.7, 2.10, 2.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nobody waits.
    Free,
    /// One writer at a time below one parent resource.
    Parent,
    /// One writer at a time for each value (an id) at this pointer.
    Pointer(&'static str),
}

/// What a resource holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Nothing that a create would not bring back.
    Nothing,
    /// Data: replacing it needs `--allow-replace ADDRESS`.
    Data,
}

/// How a resource is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delete {
    /// DELETE with this extra query (`force=true`), or none.
    Own(&'static str),
    /// ARM has no DELETE for it: it goes with its parent.
    WithParent,
}

/// Whether a live resource is usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is.
    Yes,
    /// Not yet; ask again. The text is shown.
    NotYet(String),
    /// It never will be without somebody's act. The text is the error.
    No(String),
}

impl Kind {
    /// A type without peculiarities; a card names only what differs.
    pub const PLAIN: Self = Self {
        name: "",
        arm_type: "",
        api_version: "",
        tagged: true,
        immutable: &["/location"],
        keyed: &[],
        carried: &[],
        kept: &[],
        sets: &[],
        caseless: &[],
        hidden: &[],
        reports: &[],
        turn: Turn::Free,
        holds: Holds::Nothing,
        delete: Delete::Own(""),
        settled: |_| Settled::Yes,
        follow_up: |_| None,
    };
}

/// Declares the module of every kind and the list of them.
macro_rules! kinds {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*
        /// Every kind there is.
        pub static ALL: &[&Kind] = &[$(&$name::KIND),*];
    };
}

kinds! {
    app_insights,
    bastion,
    container_registry,
    diagnostic_setting,
    dns_link,
    dns_zone,
    dns_zone_group,
    firewall,
    firewall_policy,
    firewall_rules,
    key_vault,
    log_workspace,
    ml_workspace,
    monitor_scope,
    network_interface,
    network_security_group,
    private_endpoint,
    public_ip,
    resource_group,
    role_assignment,
    route_table,
    scoped_resource,
    service_endpoint_policy,
    storage_account,
    vault_secret,
    virtual_machine,
    virtual_network,
}

/// The kind of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.name == name)
}

/// The kind of that ARM type, compared without case.
#[must_use]
pub fn of_type(arm_type: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.arm_type.eq_ignore_ascii_case(arm_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_types_are_unique() {
        for (at, kind) in ALL.iter().enumerate() {
            assert!(!kind.name.is_empty() && !kind.arm_type.is_empty() && !kind.api_version.is_empty());
            let twin = |other: &&&Kind| other.name == kind.name || other.arm_type == kind.arm_type;
            assert!(!ALL[at + 1..].iter().any(|other| twin(&other)), "{}", kind.name);
        }
    }

    #[test]
    fn carried_lists_have_a_key() {
        for kind in ALL {
            for list in kind.carried {
                assert!(kind.keyed.iter().any(|(path, _)| path == list), "{}: {list}", kind.name);
            }
        }
    }
}
