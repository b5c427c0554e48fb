//! Events and plans as JSON objects, one a line, in the shape of Terraform's machine-readable UI. Pure; the time of
//! day is added by the screen.

use serde_json::{Value, json};

use super::outputs::{OutputRow, terraform_json};
use super::plan_text;
use crate::failure::Failure;
use crate::isolation::{Report, State, Weight};
use crate::model::{Event, Outcome, StepId, Verb, What};
use crate::plan::Plan;

fn line(level: &str, message: impl Into<String>, kind: &str, more: Value) -> Value {
    let mut line = json!({"@level": level, "@message": message.into(), "@module": "privaml", "type": kind});
    if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
        line.extend(more);
    }
    line
}

fn resource(step: &StepId) -> Value {
    json!({"addr": step.address, "resource_type": step.address.kind(), "resource_name": step.address.name()})
}

/// The first line: who speaks, and in which version of this shape.
#[must_use]
pub fn version() -> Value {
    let version = env!("CARGO_PKG_VERSION");
    line("info", format!("privaml {version}"), "version", json!({"privaml": version, "ui": "1.0"}))
}

/// A plan: a line for every step, then the summary.
#[must_use]
pub fn of_plan(plan: &Plan) -> Vec<Value> {
    let mut lines: Vec<Value> = plan
        .steps
        .iter()
        .map(|step| {
            let change = json!({"resource": resource(&step.id), "id": step.resource, "action": step.id.verb.word(),
                "reason": step.reason, "changes": step.changes});
            line(
                "info",
                format!("{}: plan to {}", step.id.address, step.id.verb.word()),
                "planned_change",
                json!({"change": change}),
            )
        })
        .collect();
    let of = |verb: Verb| plan.steps.iter().filter(|s| s.id.verb == verb).count();
    let counts = json!({"changes": {"add": of(Verb::Create), "change": of(Verb::Update), "remove": of(Verb::Delete),
        "import": of(Verb::Adopt), "operation": "plan"}});
    lines.push(line("info", plan_text::totals(plan), "change_summary", counts));
    lines
}

/// An event; `None` for those that nobody waits for.
#[must_use]
pub fn of_event(event: &Event) -> Option<Value> {
    let hook = |step: &StepId| json!({"resource": resource(step), "action": step.verb.word(), "elapsed_seconds": event.at.as_secs()});
    let seconds = event.at.as_secs_f64();
    match &event.what {
        What::Started { step, .. } => {
            let text = format!("{}: {}", step.address, step.verb.running());
            Some(line("info", text, "apply_start", json!({"hook": hook(step)})))
        }
        What::Accepted { step, .. } => {
            Some(line("info", format!("{}: accepted", step.address), "apply_progress", json!({"hook": hook(step)})))
        }
        What::Waiting { .. } | What::RunStarted { .. } => None,
        What::Retrying { step, after, cause } => {
            let text =
                format!("{}: again in {:.0} s: {} {}", step.address, after.as_secs_f64(), cause.code, cause.message);
            Some(line("warn", text, "apply_progress", json!({"hook": hook(step), "cause": cause})))
        }
        What::Ended { step, outcome: Outcome::Done { .. } } => {
            let text = format!("{}: {} at {seconds:.0} s", step.address, step.verb.past());
            Some(line("info", text, "apply_complete", json!({"hook": hook(step)})))
        }
        What::Ended { step, outcome } => {
            let text = format!("{}: not {}", step.address, step.verb.past());
            Some(line("error", text, "apply_errored", json!({"hook": hook(step), "outcome": outcome})))
        }
        What::RunEnded { tally } => {
            let is_removal = tally.deleted > 0 && tally.created + tally.updated + tally.adopted == 0;
            let operation = if is_removal { "destroy" } else { "apply" };
            let counts = json!({"changes": {"add": tally.created, "change": tally.updated, "remove": tally.deleted,
                "import": tally.adopted, "operation": operation}, "failed": tally.failed, "skipped": tally.skipped,
                "cancelled": tally.cancelled, "elapsed_seconds": seconds});
            Some(line("info", "run over".to_owned(), "change_summary", counts))
        }
    }
}

/// The outputs; secrets stay hidden here, `privaml output --json` shows them.
#[must_use]
pub fn of_outputs(rows: &[OutputRow]) -> Value {
    let mut outputs = terraform_json(rows);
    if let Value::Object(map) = &mut outputs {
        for row in map.values_mut().filter(|row| row["sensitive"] == true) {
            if let Value::Object(row) = row {
                row.remove("value");
            }
        }
    }
    line("info", format!("{} outputs", rows.len()), "outputs", json!({"outputs": outputs}))
}

/// What the verifier thinks of a plan (`of` is `plan`) or of what an apply made (`live`); `accepted` are the checks that
/// the user overrode by name.
#[must_use]
pub fn of_verification(report: &Report, of: &str, accepted: &[&str]) -> Value {
    let told: Vec<Value> = report
        .checks
        .iter()
        .filter(|check| matches!(check.state, State::Fail | State::Unknown))
        .map(|check| {
            let mut told = json!(check);
            told["accepted"] = json!(accepted.contains(&check.name));
            told
        })
        .collect();
    let violated = told.iter().any(|check| check["state"] == "fail" && check["accepted"] == false);
    let (level, verdict) = if violated { ("error", "violated") } else { ("info", "holds") };
    let count = |weight: Weight| report.findings.iter().filter(|f| f.weight == weight && f.accepted.is_none()).count();
    let findings = json!({"warnings": count(Weight::Warning), "residual": count(Weight::Residual),
        "accepted": report.findings.iter().filter(|f| f.accepted.is_some()).count()});
    line(
        level,
        format!("verification ({of}): {verdict}"),
        "verification",
        json!({"verification": {"of": of, "verdict": verdict, "checks": told, "findings": findings}}),
    )
}

/// An error.
#[must_use]
pub fn of_failure(failure: &Failure) -> Value {
    let diagnostic = json!({"severity": "error", "summary": failure.message, "detail": failure.causes.join("; "),
        "remedy": failure.remedy, "correlation_id": failure.correlation_id, "exit_code": failure.exit.code()});
    line("error", failure.message.clone(), "diagnostic", json!({"diagnostic": diagnostic}))
}
