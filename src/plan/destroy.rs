//! The plan that removes everything, from the state alone, in the reverse of the order it was built in.
//! Deletes nothing that is not in the state or its journal.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Graph;
use super::steps::{Draft, Removal, leftovers, removal};
use super::{Kinds, Plan, order};
use crate::kind::{self, Kind};
use crate::model::late::visit_strings;
use crate::model::{Address, Known, Observed, Reason, ResourceId, State};

/// Types that Application Insights makes beside itself, with the start of their names (`azure-facts` 2.4).
const SIBLINGS: [(&str, &str); 2] = [
    ("microsoft.alertsmanagement/smartdetectoralertrules", "failure anomalies - "),
    ("microsoft.insights/actiongroups", "application insights smart detection"),
];

/// Types that Azure makes for a resource of ours, under a name that our body gave or that begins with its name.
const PARTS: [&str; 2] = ["microsoft.network/networkinterfaces", "microsoft.compute/disks"];

/// Plans the removal of everything that the state knows or that an unfinished create may have made.
///
/// What only goes with its parent is forgotten after the parent's delete; so are Azure's own twins. The group comes last and takes along what Azure made by itself: those resources are in no state, need
/// versions of their own to be deleted, and a delete of theirs would only lengthen the chain. Anything else in the
/// group is foreign: the group then stays (`Plan::kept`) and `Plan::strangers` names everything that stays in it.
#[must_use]
pub fn destroy(state: &State, observed: &Observed) -> Plan {
    destroy_with(&kind::find, state, observed)
}

/// [`destroy`] with another catalogue of kinds.
#[must_use]
pub fn destroy_with(kinds: Kinds<'_>, state: &State, observed: &Observed) -> Plan {
    let all = leftovers(state);
    let (held, strangers) = held_groups(&all, observed);
    let ends = all.iter().filter(|(address, _)| !held.contains(address)).map(|(address, known)| {
        let kind = kinds(address.kind()).unwrap_or(&Kind::PLAIN);
        // Nobody is asked whether it is there: deleting what is not there does no harm, believing a false "not found"
        // would leave it behind for good.
        (address.clone(), removal(kind, known, true, Reason::Destroyed))
    });
    let removals: BTreeMap<Address, Removal> = ends.collect();
    let (wanted, desired, verdicts) = (Graph::default(), BTreeMap::new(), BTreeMap::new());
    let existing = Graph::of_known(&all);
    let draft = Draft { wanted: &wanted, desired: &desired, verdicts: &verdicts, existing, removals };
    let steps = order::sorted(draft.steps());
    Plan { steps, kept: held.into_iter().collect(), strangers, needs: BTreeMap::new() }
}

/// The groups that must stay because of what is foreign in them, and everything that stays in them.
fn held_groups(all: &BTreeMap<Address, Known>, observed: &Observed) -> (BTreeSet<Address>, Vec<ResourceId>) {
    let is_group = |known: &Known| known.id.arm_type().eq_ignore_ascii_case("Microsoft.Resources/resourceGroups");
    let (mut held, mut strangers) = (BTreeSet::new(), BTreeSet::new());
    for (address, group) in all.iter().filter(|(_, known)| is_group(known)) {
        let inside = observed.strangers.iter().filter(|id| id.is_within(&group.id) && **id != group.id);
        let others: Vec<&ResourceId> = inside.filter(|id| !goes_with_ours(all, id, &group.id)).collect();
        if others.iter().any(|id| !is_sibling(id)) {
            held.insert(address.clone());
            strangers.extend(others.into_iter().cloned());
        }
    }
    (held, strangers.into_iter().collect())
}

/// Whether Application Insights made it.
fn is_sibling(id: &ResourceId) -> bool {
    let (arm_type, name) = (id.arm_type().to_ascii_lowercase(), id.name().to_ascii_lowercase());
    SIBLINGS.iter().any(|(of_type, start)| arm_type == *of_type && name.starts_with(start))
}

/// Whether it goes when one of our resources goes: it lives in one, or Azure made it for one.
fn goes_with_ours(all: &BTreeMap<Address, Known>, id: &ResourceId, group: &ResourceId) -> bool {
    let ours = || all.values().filter(|known| known.id != *group);
    let inside = ours().any(|known| id.is_within(&known.id));
    let is_part = PARTS.contains(&id.arm_type().to_ascii_lowercase().as_str());
    inside || (is_part && ours().any(|known| is_part_of(known, id.name())))
}

/// Network cards and disks are named in our body, or by Azure: `{endpoint}.nic.{guid}`, `{machine}_OsDisk_1_{hex}`.
fn is_part_of(known: &Known, name: &str) -> bool {
    let mut named = false;
    visit_strings(&known.applied, &mut |text| named |= text.eq_ignore_ascii_case(name));
    let (name, ours) = (name.to_ascii_lowercase(), known.id.name().to_ascii_lowercase());
    named || [".nic.", "_osdisk_"].iter().any(|infix| name.starts_with(&format!("{ours}{infix}")))
}
