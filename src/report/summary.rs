//! The end of a run: counts, time, the slowest steps, every failure with its remedy. Pure text.

use std::fmt::Write as _;
use std::time::Duration;

use super::view::View;
use super::words;
use crate::model::{Outcome, StepId, Tally};

/// How many of the slowest steps are named.
const SLOWEST: usize = 5;

/// The closing text.
#[must_use]
pub fn summary(view: &View, tally: &Tally, elapsed: Duration) -> String {
    let mut text = String::new();
    for (step, over) in &view.over {
        if let Outcome::Failed { cause } = &over.outcome {
            failed(&mut text, view, step, cause);
        }
    }
    let head = if tally.is_clean() { "Complete" } else { "Not complete" };
    let _ = writeln!(text, "{head} after {}: {}.", words::time(elapsed), counts(tally));
    let mut slow: Vec<(&StepId, Duration)> = view.over.iter().map(|(step, over)| (step, over.took)).collect();
    slow.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    let slow: Vec<String> = slow
        .iter()
        .take(SLOWEST)
        .filter(|(_, took)| !took.is_zero())
        .map(|(step, took)| format!("{} {}", step.address, words::time(*took)))
        .collect();
    if !slow.is_empty() {
        let _ = writeln!(text, "Slowest: {}.", slow.join(", "));
    }
    if tally.failed > 0 {
        text.push_str("Run the same command again once it is mended: nothing that is done is repeated.\n");
    } else if !tally.is_clean() {
        text.push_str("Interrupted. Run the same command again: it goes on from here.\n");
    }
    text
}

fn counts(tally: &Tally) -> String {
    let parts = [
        (tally.created, "created"),
        (tally.updated, "updated"),
        (tally.adopted, "adopted"),
        (tally.deleted, "deleted"),
        (tally.failed, "failed"),
        (tally.skipped, "skipped"),
        (tally.cancelled, "not started"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
}

fn failed(text: &mut String, view: &View, step: &StepId, cause: &crate::model::Cause) {
    let _ = writeln!(text, "error: {} was not {}", step.address, step.verb.past());
    if let Some(id) = view.resource(step) {
        let _ = writeln!(text, "  where:  {id}");
    }
    let _ = writeln!(text, "  why:    {} {}", cause.code, cause.message);
    for detail in &cause.causes {
        let _ = writeln!(text, "          {detail}");
    }
    if let Some(remedy) = &cause.remedy {
        let _ = writeln!(text, "  remedy: {remedy}");
    }
    if let Some(id) = &cause.correlation_id {
        let _ = writeln!(text, "  correlation id: {id}");
    }
}
