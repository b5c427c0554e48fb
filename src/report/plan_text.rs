//! A plan as people read it: one line a resource, the reason, and what changes. Pure text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::words;
use crate::model::late::{replace_strings, secret_name};
use crate::model::{Address, Change, Late, Origin, Reason, Step, Verb};
use crate::plan::{self, Plan};

/// Longest value that stays in one line.
const WIDEST: usize = 100;

/// The whole plan.
#[must_use]
pub fn plan_text(plan: &Plan) -> String {
    if plan.steps.is_empty() {
        let kept = words::count(plan.kept.len(), "resource");
        return format!("No changes. {kept} as they should be.\n");
    }
    let both = replaced(plan);
    let widest = plan.steps.iter().map(|s| s.id.address.as_str().len()).max().unwrap_or_default();
    let mut text = String::new();
    for step in &plan.steps {
        let sign = if both.get(&step.id.address) == Some(&2) { "-/+" } else { step.id.verb.symbol() };
        let _ = writeln!(
            text,
            "{sign:>3} {:<widest$}  {:<28} {}",
            step.id.address.as_str(),
            step.resource.name(),
            reason(&step.reason)
        );
        for change in &step.changes {
            for line in changed(change) {
                let _ = writeln!(text, "        {line}");
            }
        }
    }
    for stranger in &plan.strangers {
        let _ = writeln!(text, "    {stranger}  stays: not ours");
    }
    let _ = writeln!(text, "\n{}", totals(plan));
    text
}

fn replaced(plan: &Plan) -> BTreeMap<&Address, usize> {
    let mut seen = BTreeMap::new();
    for step in plan.steps.iter().filter(|s| matches!(s.id.verb, Verb::Create | Verb::Delete)) {
        *seen.entry(&step.id.address).or_insert(0) += 1;
    }
    seen
}

/// `Plan: 84 to create, …`.
#[must_use]
pub fn totals(plan: &Plan) -> String {
    let of = |verb: Verb| plan.steps.iter().filter(|s| s.id.verb == verb).count();
    let mut text =
        format!("Plan: {} to create, {} to update, {} to delete", of(Verb::Create), of(Verb::Update), of(Verb::Delete));
    if of(Verb::Adopt) > 0 {
        let _ = write!(text, ", {} to adopt", of(Verb::Adopt));
    }
    if of(Verb::Forget) > 0 {
        let _ = write!(text, ", {} to forget", of(Verb::Forget));
    }
    let (chain, steps) = plan::chain(plan);
    let _ = write!(text, ". {}", expected(chain, &steps));
    text
}

fn expected(chain: std::time::Duration, steps: &[crate::model::StepId]) -> String {
    let slowest = steps.iter().max_by_key(|step| {
        let kind = crate::kind::find(step.address.kind());
        kind.map(|k| crate::kind::durations::of_step(k.arm_type, step.verb))
    });
    match slowest {
        Some(step) => format!("Expected time: {} (slowest on the way: {}).", words::about(chain), step.address),
        None => String::new(),
    }
}

/// A reason in words.
#[must_use]
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::New => "new".to_owned(),
        Reason::Edited => "the parameters changed".to_owned(),
        Reason::Drifted => "changed outside privaml".to_owned(),
        Reason::Vanished => "gone from Azure, made again".to_owned(),
        Reason::Dropped => "no longer in the parameters".to_owned(),
        Reason::Destroyed => "destroyed".to_owned(),
        Reason::Found => "found in Azure, taken into the state".to_owned(),
        Reason::Forced { at } => format!("replaced: {at} cannot change in place"),
        Reason::Renamed { from } => format!("replaced: it was {}", from.name()),
        Reason::Rebuilt { because } => format!("because {because} is made anew"),
        Reason::Recovered => "recovered from soft delete".to_owned(),
    }
}

/// One change: a line for a plain value, several for one that does not fit into a line.
fn changed(change: &Change) -> Vec<String> {
    let by = if change.origin == Origin::Drift { "  (drift)" } else { "" };
    let mut lines = Vec::new();
    match (&change.from, &change.to) {
        (None, Some(to)) => spread('+', &change.at, &said(to), &mut lines),
        (Some(from), None) => spread('-', &change.at, &said(from), &mut lines),
        (from, to) => {
            let side = |v: &Option<Value>| v.as_ref().map_or_else(|| "nothing".to_owned(), |v| said(v).to_string());
            let (from, to) = (side(from), side(to));
            if from.chars().count() + to.chars().count() <= WIDEST {
                lines.push(format!("~ {}: {from} → {to}", change.at));
            } else {
                lines.push(format!("~ {}:", change.at));
                lines.extend([format!("    {from}"), format!("  → {to}")]);
            }
        }
    }
    if let Some(first) = lines.first_mut() {
        first.push_str(by);
    }
    lines
}

/// A value that is whole new or whole gone: in one line if it fits, else member by member, items by their names.
fn spread(sign: char, at: &str, value: &Value, lines: &mut Vec<String>) {
    let text = value.to_string();
    let members: Vec<(String, &Value)> = match value {
        Value::Object(map) if text.chars().count() > WIDEST => {
            map.iter().map(|(name, member)| (format!("{at}/{name}"), member)).collect()
        }
        Value::Array(items) if text.chars().count() > WIDEST => {
            let label = |(i, item): (usize, &Value)| item["name"].as_str().map_or_else(|| i.to_string(), str::to_owned);
            items.iter().enumerate().map(|(i, item)| (format!("{at}[{}]", label((i, item))), item)).collect()
        }
        _ => return lines.push(format!("{sign} {at}: {text}")),
    };
    for (at, member) in members {
        spread(sign, &at, member, lines);
    }
}

/// A value with its placeholders in words; secrets never.
fn said(value: &Value) -> Value {
    let mut value = value.clone();
    replace_strings(&mut value, &mut |text| match (secret_name(text), Late::parse(text)) {
        (Some(_), _) => Some(Value::from("(sealed)")),
        (_, Some(late)) => Some(Value::from(format!("(known after {})", late.of))),
        _ => None,
    });
    value
}

/// The line of one step for progress: `+ firewall.core`.
#[must_use]
pub fn title(step: &Step) -> String {
    format!("{} {}", step.id.verb.symbol(), step.id.address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ResourceId, StepId};

    fn step(changes: Vec<Change>) -> Step {
        Step {
            id: StepId::new(Address::new("firewall_rules", "core"), Verb::Update),
            resource: ResourceId::new("/subscriptions/s/resourceGroups/g/providers/M.N/t/rcg-core"),
            body: None,
            says: None,
            needs: vec![],
            reason: Reason::Edited,
            changes,
        }
    }

    #[test]
    fn a_secret_is_never_shown_and_the_host_is() {
        let change = |at: &str, to: &str| Change {
            at: at.to_owned(),
            from: None,
            to: Some(Value::from(to)),
            origin: Origin::Edit,
        };
        let steps = vec![step(vec![change("rules[pytorch.org]", "pytorch.org"), change("p", "secret:pw")])];
        let text = plan_text(&Plan { steps, ..Plan::default() });
        assert!(text.contains("+ rules[pytorch.org]: \"pytorch.org\""), "{text}");
        assert!(text.contains("(sealed)") && !text.contains("secret:pw"), "{text}");
        assert!(text.contains("Plan: 0 to create, 1 to update, 0 to delete"), "{text}");
    }

    #[test]
    fn a_large_new_value_is_spread_until_every_host_can_be_read() {
        let hosts: Vec<Value> = (0..9)
            .map(|i| {
                serde_json::json!({"name": format!("host{i}.example"), "targetFqdns": [format!("host{i}.example")],
                "reason": "A reason long enough to fill a line together with the rest of the rule."})
            })
            .collect();
        let to = Some(serde_json::json!({"name": "arc-user", "rules": hosts}));
        let change =
            Change { at: "properties/ruleCollections[arc-user]".to_owned(), from: None, to, origin: Origin::Edit };
        let lines = changed(&change);
        let wanted = "+ properties/ruleCollections[arc-user]/rules[host8.example]/targetFqdns: [\"host8.example\"]";
        assert!(lines.iter().any(|line| line == wanted), "{lines:#?}");
    }

    #[test]
    fn an_empty_plan_says_so() {
        assert_eq!(plan_text(&Plan::default()), "No changes. 0 resources as they should be.\n");
    }
}
