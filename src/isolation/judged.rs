//! The table of flows with the model's answers, for reports. Judges nothing by itself.

use serde::Serialize;

use super::asked::{Asked, rows};
use super::choice::Verdict;
use super::model::Model;

/// One flow of the table, as expected and as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JudgedFlow {
    /// Who.
    pub from: String,
    /// Whom, how.
    pub to: String,
    /// What must happen.
    pub expected: Verdict,
    /// What happens.
    pub verdict: Verdict,
    /// Why it must.
    pub why: String,
    /// What decides.
    pub reason: String,
}

/// Every flow of the table that is about parts that are there, and every one that the parameters want closed.
#[must_use]
pub fn judged_flows(model: &Model, asked: &Asked) -> Vec<JudgedFlow> {
    let holds = rows().iter().filter(|row| row.profiles.contains(&asked.profile));
    let there = holds.filter(|row| row.needs.as_deref().is_none_or(|word| model.has(word)));
    let there = there.filter(|row| row.from == "internet" || model.has(&row.from));
    let flows = there.filter_map(|row| Some((row.flow(&asked.location).ok()?, row.expect.verdict(), row.why.clone())));
    let denied = asked.deny.iter().map(|closed| {
        let why = closed.why.clone().unwrap_or_else(|| "Asked for in the parameters.".to_owned());
        (closed.flow.clone(), Verdict::Deny, why)
    });
    let judge = |(flow, expected, why): (super::flow::Flow, Verdict, String)| {
        let answer = model.flow(&flow);
        let how = format!("{:?}", flow.protocol).to_ascii_lowercase();
        let to = flow.port.map_or_else(|| format!("{} {how}", flow.to), |port| format!("{} {how} {port}", flow.to));
        JudgedFlow { from: flow.from, to, expected, verdict: answer.verdict, why, reason: answer.reason }
    };
    flows.chain(denied).map(judge).collect()
}
