//! Children that live inside their parent's body: subnets, peerings, security rules, routes. They have ids of their own, but
//! the parent's body is the only place where they are kept.

use serde_json::Value;

use crate::model::ResourceId;

use super::json::{items, text};
use super::world::World;

/// Parent type, segment of the child, pointer of the list.
const LISTS: [(&str, &str, &str); 4] = [
    ("microsoft.network/virtualnetworks", "subnets", "/properties/subnets"),
    ("microsoft.network/virtualnetworks", "virtualnetworkpeerings", "/properties/virtualNetworkPeerings"),
    ("microsoft.network/networksecuritygroups", "securityrules", "/properties/securityRules"),
    ("microsoft.network/routetables", "routes", "/properties/routes"),
];

/// The list in which children of that type are kept.
pub(super) fn list_of(arm_type: &str) -> Option<&'static str> {
    let lower = arm_type.to_ascii_lowercase();
    let (parent, segment) = lower.rsplit_once('/')?;
    LISTS.iter().find(|(p, s, _)| *p == parent && *s == segment).map(|(_, _, at)| *at)
}

/// The item of that id, inside its parent.
pub(super) fn find<'a>(world: &'a World, id: &ResourceId) -> Option<&'a Value> {
    let list = list_of(&id.arm_type())?;
    let parent = world.get(&id.parent()?)?;
    items(&parent.body, list).iter().find(|item| text(item, "/name").eq_ignore_ascii_case(id.name()))
}
