//! Whether some moment of the last apply was open: goes through its writes in their order and asks the model after each.
//! A write that has begun may be in effect or not, so both are asked. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::asked::{Asked, Expect, rows};
use super::choice::Verdict;
use super::flow::Flow;
use super::invariants::{RUN_BY_AZURE, check, skipped};
use super::model::Model;
use super::service::Access;
use super::verdicts::{Check, Evidence, State};
use crate::model::ResourceId;

/// How the last apply went.
#[derive(Debug, Default)]
pub struct History {
    /// What there was before it.
    pub start: BTreeMap<ResourceId, Value>,
    /// What it did, in order.
    pub changes: Vec<Change>,
}

/// One end of a step.
#[derive(Clone, Debug)]
pub struct Change {
    /// The step, for people: `virtual_network.core/create`.
    pub step: String,
    /// Where the resource lives.
    pub resource: ResourceId,
    /// What it says then; `None`: it is gone.
    pub body: Option<Value>,
    /// Whether the step ended; else it began.
    pub is_end: bool,
}

/// Hosts that nobody asks for, each by a protocol that could carry data.
const STRANGERS: [&str; 5] = [
    "https://stranger.example",
    "http://stranger.example",
    "stranger.example:22/tcp",
    "stranger.example:53/udp",
    "stranger.example:443/udp",
];

/// Types whose writes open no way out and no public path: they lead names to private addresses, or decide over no flow.
/// Most steps of an apply are of these, and a model with thousands of rules is not built for each.
const IDLE: [&str; 10] = [
    "microsoft.authorization/roleassignments",
    "microsoft.insights/diagnosticsettings",
    "microsoft.insights/privatelinkscopes",
    "microsoft.insights/privatelinkscopes/scopedresources",
    "microsoft.keyvault/vaults/secrets",
    "microsoft.network/privatednszones",
    "microsoft.network/privatednszones/virtualnetworklinks",
    "microsoft.network/privateendpoints",
    "microsoft.network/privateendpoints/privatednszonegroups",
    "microsoft.resources/resourcegroups",
];

/// Ways that are open, each with the proof.
type Ways = BTreeMap<String, Evidence>;

/// No moment was open in a way in which neither the environment before nor the one after is.
pub(super) fn no_open_moment(asked: &Asked) -> Check {
    const NAME: &str = "no-open-moment";
    const TITLE: &str = "No moment of the last apply was open.";
    let Some(history) = &asked.history else {
        return skipped(NAME, TITLE, "not recorded: the order of writes is in a state, from its next apply on");
    };
    let mut found: BTreeMap<String, (State, Evidence)> = BTreeMap::new();
    let mut replay = Replay::new(history);
    let mut usual = ways(&replay.model(), asked);
    usual.extend(ways(&Replay::after(history).model(), asked));
    for change in &history.changes {
        replay.take(change);
        if IDLE.contains(&change.resource.arm_type().to_ascii_lowercase().as_str()) {
            continue;
        }
        let moment = if change.is_end { "after" } else { "during" };
        for (way, mut evidence) in ways(&replay.model(), asked) {
            if usual.contains_key(&way) || found.contains_key(&way) {
                continue;
            }
            evidence.says = format!("{moment} {} of the last apply: {}", change.step, evidence.says);
            found.insert(way, (State::Fail, evidence));
        }
    }
    let remedy = "Look into the logs of that time; report it: the order of steps is privaml's to keep.";
    check(NAME, TITLE, remedy, found.into_values().collect())
}

/// The environment at one moment.
struct Replay<'h> {
    /// What was certainly there.
    certain: BTreeMap<&'h ResourceId, &'h Value>,
    /// What was being written: it says this, or is about to be gone.
    under_way: BTreeMap<&'h ResourceId, Option<&'h Value>>,
}

impl<'h> Replay<'h> {
    fn new(history: &'h History) -> Self {
        Self { certain: history.start.iter().collect(), under_way: BTreeMap::new() }
    }

    /// The last moment of all.
    fn after(history: &'h History) -> Self {
        let mut replay = Self::new(history);
        history.changes.iter().filter(|change| change.is_end).for_each(|change| replay.take(change));
        replay.under_way.clear();
        replay
    }

    fn take(&mut self, change: &'h Change) {
        if !change.is_end {
            self.under_way.insert(&change.resource, change.body.as_ref());
            return;
        }
        self.under_way.remove(&change.resource);
        match &change.body {
            Some(body) => self.certain.insert(&change.resource, body),
            None => self.certain.remove(&change.resource),
        };
    }

    /// Everything under way counts as done; that it counts as not done yet is the moment before.
    fn model(&self) -> Model {
        let mut bodies = self.certain.clone();
        for (id, body) in &self.under_way {
            match body {
                Some(body) => bodies.insert(*id, *body),
                None => bodies.remove(*id),
            };
        }
        Model::new(bodies.into_iter().map(|(id, body)| (id.clone(), body)))
    }
}

fn ways(model: &Model, asked: &Asked) -> Ways {
    let mut found = Ways::new();
    for service in &model.services {
        let (Access::Open(why) | Access::Limited { why, .. }) = &service.access else { continue };
        let says = format!("{} is reached from outside: {why}", service.id.name());
        found.insert(service.id.key(), Evidence::new(&service.id, "publicNetworkAccess", says));
    }
    for flow in probes(model, asked) {
        let answer = model.flow(&flow);
        if answer.verdict != Verdict::Allow {
            continue;
        }
        let hop = answer.by.iter().rev().find(|hop| hop.step == "firewall").or_else(|| answer.by.last());
        let evidence = Evidence {
            resource: hop.and_then(|hop| hop.resource.clone()),
            property: hop.and_then(|hop| hop.rule.clone()).unwrap_or_default(),
            says: format!("{flow} was open: {}", answer.reason),
        };
        found.insert(flow.to_string(), evidence);
    }
    found
}

/// Flows that should be closed at every moment.
fn probes(model: &Model, asked: &Asked) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    let guests = model.subnets.iter().filter(|subnet| !RUN_BY_AZURE.iter().any(|name| subnet.is(name)));
    for subnet in guests {
        flows.extend(STRANGERS.iter().filter_map(|to| Flow::new(subnet.name(), to, None, None).ok()));
    }
    let closed = rows().iter().filter(|row| row.expect == Expect::Deny && row.profiles.contains(&asked.profile));
    let here = closed.filter(|row| row.needs.as_deref().is_none_or(|word| model.has(word)));
    let inward = here.filter(|row| row.from == "internet");
    flows.extend(inward.filter_map(|row| row.flow(&asked.location).ok()));
    flows.extend(asked.deny.iter().map(|row| row.flow.clone()).filter(|flow| model.has(&flow.from)));
    flows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::plan;
    use super::*;
    use crate::config::Profile;
    use crate::model::Desired;

    /// Everything in this order, one after the other.
    fn made(all: &[Desired]) -> History {
        let both = |one: &Desired| {
            [false, true].map(|is_end| Change {
                step: format!("{}/create", one.address),
                resource: one.id.clone(),
                body: Some(one.body.clone()),
                is_end,
            })
        };
        History { start: BTreeMap::new(), changes: all.iter().flat_map(both).collect() }
    }

    fn judged(history: History) -> Check {
        no_open_moment(&Asked { history: Some(history), ..Asked::nothing("westeurope") })
    }

    /// The plan with what others stand on first, as a schedule makes it.
    fn ordered() -> Vec<Desired> {
        let mut all = plan(Profile::Hardened);
        let rank = |one: &Desired| match one.id.arm_type().as_str() {
            "Microsoft.Network/networkSecurityGroups" | "Microsoft.Network/routeTables" => 0,
            "Microsoft.Network/virtualNetworks" => 1,
            _ => 2,
        };
        all.sort_by_key(rank);
        all
    }

    #[test]
    fn a_sound_order_has_no_open_moment() {
        let check = judged(made(&ordered()));
        assert_eq!(check.state, State::Pass, "{:#?}", check.evidence);
    }

    #[test]
    fn a_network_without_its_route_is_an_open_moment_with_a_name() {
        let all = ordered();
        let mut history = made(&all);
        let network = all.iter().find(|one| one.id.arm_type() == "Microsoft.Network/virtualNetworks").unwrap();
        let mut early = network.body.clone();
        for subnet in early["properties"]["subnets"].as_array_mut().unwrap() {
            let properties = subnet["properties"].as_object_mut().unwrap();
            properties.remove("routeTable");
            properties.remove("networkSecurityGroup");
            properties.insert("defaultOutboundAccess".to_owned(), json!(true));
        }
        let change = |is_end| Change {
            step: "virtual_network.core/create".to_owned(),
            resource: network.id.clone(),
            body: Some(early.clone()),
            is_end,
        };
        history.changes.splice(0..0, [change(false), change(true)]);
        let check = judged(history);
        assert_eq!(check.state, State::Fail);
        let says = &check.evidence[0].says;
        assert!(says.contains("during virtual_network.core/create of the last apply"), "{says}");
    }

    #[test]
    fn a_service_that_is_born_public_is_an_open_moment() {
        let all = ordered();
        let mut history = made(&all);
        let at = history.changes.iter().position(|c| c.resource.arm_type() == "Microsoft.KeyVault/vaults").unwrap();
        let mut open = history.changes[at].clone();
        open.body.as_mut().unwrap()["properties"]["publicNetworkAccess"] = json!("Enabled");
        open.body.as_mut().unwrap()["properties"]["networkAcls"] = json!({"defaultAction": "Allow"});
        open.is_end = true;
        history.changes.insert(at, open);
        let check = judged(history);
        assert!(check.state == State::Fail && check.evidence[0].says.contains("after key_vault"), "{check:#?}");
    }

    /// What was open before the apply, and what is open after it, is judged by other checks.
    #[test]
    fn closing_what_was_open_is_no_open_moment() {
        let (before, after) = (plan(Profile::Baseline), ordered());
        let mut history = made(&after);
        history.start = before.into_iter().map(|one| (one.id, one.body)).collect();
        let check = judged(history);
        assert_eq!(check.state, State::Pass, "{:#?}", check.evidence);
    }

    #[test]
    fn without_a_record_nothing_is_said() {
        let check = no_open_moment(&Asked::nothing("westeurope"));
        assert!(check.state == State::Skipped && check.evidence[0].says.starts_with("not recorded"));
    }
}
