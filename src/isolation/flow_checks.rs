//! Checks by single flows: the table of this crate and the user's own rows. Judges a model; reads nothing else.

use super::asked::{Asked, Expect, rows};
use super::choice::Verdict;
use super::flow::{Answer, Flow};
use super::invariants::{check, skipped};
use super::model::Model;
use super::network::Subnet;
use super::verdicts::{Check, Evidence, State};

/// What Azure ML needs is open.
pub(super) fn open(model: &Model, asked: &Asked) -> Check {
    let found = table(model, asked, Expect::Allow);
    check(
        "azure-ml-works",
        "What Azure ML needs is open.",
        "Let the named destination through, in the firewall and in the subnet's security group.",
        found,
    )
}

/// What must be closed in every environment of this kind is closed.
pub(super) fn closed(model: &Model, asked: &Asked) -> Check {
    let found = table(model, asked, Expect::Deny);
    check("closed-flows", "What must be closed is closed.", "Remove the rule, route or switch that opens it.", found)
}

/// What the user wants closed is closed.
pub(super) fn asked_closed(model: &Model, asked: &Asked) -> Check {
    const NAME: &str = "asked-closed";
    const TITLE: &str = "What the parameters want closed is closed.";
    if asked.deny.is_empty() {
        return skipped(NAME, TITLE, "the parameters name no flow under [[verify.deny]]");
    }
    let judged = asked.deny.iter().filter_map(|row| {
        let from = &row.flow.from;
        if !from.eq_ignore_ascii_case("internet") && !model.has(from) {
            // A slip of the pen must not look like a closed door.
            let names: Vec<&str> = model.subnets.iter().map(Subnet::name).collect();
            let says = format!("{}: nothing here is called {from}; its subnets are {}", row.flow, names.join(", "));
            return Some((State::Fail, Evidence { resource: None, property: "verify.deny".to_owned(), says }));
        }
        let why = row.why.as_deref().unwrap_or("the parameters want it closed");
        judge(&model.flow(&row.flow), &row.flow, Verdict::Deny, why)
    });
    check(
        NAME,
        TITLE,
        "Remove the rule, route or switch that opens it, or the entry under [[verify.deny]].",
        judged.collect(),
    )
}

fn table(model: &Model, asked: &Asked, expect: Expect) -> Vec<(State, Evidence)> {
    let holds = rows().iter().filter(|row| row.expect == expect && row.profiles.contains(&asked.profile));
    let there = holds.filter(|row| row.needs.as_deref().is_none_or(|word| model.has(word)));
    let there = there.filter(|row| row.from == "internet" || model.has(&row.from));
    let judged = there.filter_map(|row| {
        let flow = row.flow(&asked.location).ok()?;
        judge(&model.flow(&flow), &flow, expect.verdict(), &row.why)
    });
    judged.collect()
}

fn judge(answer: &Answer, flow: &Flow, expected: Verdict, why: &str) -> Option<(State, Evidence)> {
    if answer.verdict == expected {
        return None;
    }
    let state = if answer.verdict == Verdict::Unknown { State::Unknown } else { State::Fail };
    // What let it through, or what stopped it.
    let culprit = match expected {
        Verdict::Allow => answer.by.iter().find(|hop| hop.verdict != Verdict::Allow),
        _ => answer.by.iter().rev().find(|hop| hop.step == "firewall").or_else(|| answer.by.last()),
    };
    let says = format!("{flow} is {}: {} — {why}", answer.verdict, answer.reason);
    let property = culprit.and_then(|hop| hop.rule.clone()).unwrap_or_default();
    Some((state, Evidence { resource: culprit.and_then(|hop| hop.resource.clone()), property, says }))
}
