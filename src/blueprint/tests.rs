//! What every drawn environment must be, whatever the parameters.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::draw;
use crate::config::{self, Config, Profile};
use crate::kind;
use crate::model::late::visit_strings;
use crate::model::{Address, CloudNames, Desired, Facts, OWNER_TAG, ResourceId};

pub(super) fn config() -> Config {
    config::defaults()
}

pub(super) fn facts() -> Facts {
    Facts {
        subscription: "00000000-0000-0000-0000-00000000000a".to_owned(),
        tenant: "00000000-0000-0000-0000-00000000000b".to_owned(),
        lineage: Uuid::from_u128(12),
        suffix: "1234".to_owned(),
        jumpbox_user: "jbxabcd".to_owned(),
        cloud: CloudNames::public(),
        firewall_address: None,
    }
}

fn hardened() -> Config {
    let access =
        config::Access { users: vec![Uuid::from_u128(1).to_string()], groups: vec![Uuid::from_u128(2).to_string()] };
    let allow = vec![config::Allow { host: "*.anaconda.org".to_owned(), reason: "Packages.".to_owned() }];
    Config { profile: Profile::Hardened, access, allow, ..config() }
}

/// What a resource waits for: ids in its body and its parents, resolved upwards, and `after`.
fn needs<'a>(all: &'a [Desired], one: &'a Desired) -> BTreeSet<&'a Address> {
    let by_id: BTreeMap<&ResourceId, &Address> = all.iter().map(|d| (&d.id, &d.address)).collect();
    let nearest =
        |id: ResourceId| std::iter::successors(Some(id), ResourceId::parent).find_map(|id| by_id.get(&id).copied());
    let ids = one.mentions().into_iter().chain(one.id.parent());
    let lates = one.lates();
    let lates = all.iter().map(|d| &d.address).filter(|a| lates.iter().any(|late| late.of == **a));
    ids.filter_map(nearest).chain(lates).chain(&one.after).filter(|a| **a != one.address).collect()
}

/// Longest time from the start until the resource is there, by the table of durations.
fn ready(all: &[Desired]) -> BTreeMap<&Address, f64> {
    let mut ready: BTreeMap<&Address, f64> = BTreeMap::new();
    while ready.len() < all.len() {
        let before = ready.len();
        for one in all {
            let needs = needs(all, one);
            if !ready.contains_key(&one.address) && needs.iter().all(|need| ready.contains_key(need)) {
                let start = needs.iter().map(|need| ready[need]).fold(0.0, f64::max);
                let arm_type = kind::find(one.address.kind()).unwrap().arm_type;
                let takes = kind::durations::of_step(arm_type, crate::model::Verb::Create).as_secs_f64();
                ready.insert(&one.address, start + takes);
            }
        }
        assert!(
            ready.len() > before,
            "a cycle among {:?}",
            all.iter().filter(|d| !ready.contains_key(&d.address)).map(|d| &d.address).collect::<Vec<_>>()
        );
    }
    ready
}

fn listing(all: &[Desired]) -> String {
    let line = |one: &Desired| {
        let group = all[0].id.as_str();
        let id = one.id.as_str().strip_prefix(group).unwrap_or(one.id.as_str()).trim_start_matches("/providers/");
        let needs: Vec<String> = needs(all, one).iter().map(ToString::to_string).collect();
        let late = needs.iter().filter(|n| *n != "resource_group.core").cloned().collect::<Vec<_>>().join(" ");
        format!("{} | {id} | {late}\n", one.address)
    };
    all.iter().map(line).collect()
}

#[test]
#[ignore = "prints"]
fn print_listing() {
    std::fs::write("/tmp/listing.txt", listing(&draw(&config(), &facts()))).unwrap();
}
