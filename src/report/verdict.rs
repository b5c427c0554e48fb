//! A verification as people read it: checks, findings, what was not evaluated. Pure text.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use crate::isolation::{Acceptance, Check, Evidence, Report, State, Weight};

/// Lines of evidence shown of one check or finding unless more is wanted.
const MOST: usize = 5;

/// The whole report.
#[must_use]
pub fn text(report: &Report, all: bool) -> String {
    let mut text = String::new();
    for check in &report.checks {
        let mark = match check.state {
            State::Pass => "pass".green().to_string(),
            State::Skipped => "skip".dimmed().to_string(),
            State::Unknown => "????".yellow().to_string(),
            State::Fail => "FAIL".red().bold().to_string(),
        };
        let _ = writeln!(text, "{mark}  {:<22} {}", check.name, check.title);
        if check.state != State::Pass {
            proof(&mut text, &check.evidence, all);
        }
        if check.state == State::Fail {
            let _ = writeln!(text, "        remedy: {}", check.remedy);
        }
    }
    for finding in &report.findings {
        let mark = match (&finding.accepted, finding.weight) {
            (Some(_), _) => "okay".dimmed().to_string(),
            (None, Weight::Warning) => "warn".yellow().to_string(),
            (None, Weight::Residual) => "note".dimmed().to_string(),
        };
        let _ = writeln!(text, "{mark}  {:<22} {}", format!("{} {}", finding.id, finding.name), finding.title);
        proof(&mut text, &finding.evidence, all);
        if let Some(accepted) = &finding.accepted {
            let _ = writeln!(text, "        accepted{}: {}", until(accepted), accepted.reason);
        } else if let Some(expired) = &finding.expired {
            let _ = writeln!(text, "        was accepted{}, no longer: {}", until(expired), expired.reason);
        } else if all {
            let _ = writeln!(text, "        proof:  {}\n        remedy: {}", finding.proof, finding.remedy);
        }
    }
    if all {
        for note in &report.notes {
            let _ = writeln!(text, "{note}");
        }
    } else if !report.notes.is_empty() {
        let _ = writeln!(text, "{} things were not evaluated; -v names them.", report.notes.len());
    }
    let _ = writeln!(text, "\n{}", end(report));
    text
}

/// The violated checks with culprits and remedies, one text each; those accepted are marked so.
#[must_use]
pub fn violations(report: &Report, accepted: &[&str]) -> Vec<String> {
    let one = |check: &Check| {
        let is_accepted = accepted.contains(&check.name);
        let mark = if is_accepted { "okay".dimmed().to_string() } else { "FAIL".red().bold().to_string() };
        let mut text = String::new();
        let note = if is_accepted { " (accepted by --accept)" } else { "" };
        let _ = writeln!(text, "{mark}  {:<22} {}{note}", check.name, check.title);
        proof(&mut text, &check.evidence, false);
        let _ = write!(text, "        remedy: {}", check.remedy);
        text
    };
    report.checks.iter().filter(|check| check.state == State::Fail).map(one).collect()
}

/// The first culprit of a check, in one line.
#[must_use]
pub fn culprit(check: &Check) -> String {
    let mut text = String::new();
    proof(&mut text, &check.evidence[..check.evidence.len().min(1)], true);
    text.trim().to_owned()
}

/// ` until 2027-06-30`
fn until(consent: &Acceptance) -> String {
    consent.until.as_ref().map_or_else(String::new, |day| format!(" until {day}"))
}

fn end(report: &Report) -> String {
    let of = |state: State| report.checks.iter().filter(|check| check.state == state).count();
    let warnings = report.findings.iter().filter(|f| f.weight == Weight::Warning && f.accepted.is_none()).count();
    let accepted = report.findings.iter().filter(|f| f.accepted.is_some()).count();
    let accepted = if accepted > 0 { format!(", {accepted} findings accepted") } else { String::new() };
    let head = if report.is_violated() { "Not isolated" } else { "No invariant is violated" };
    let (pass, fail, unknown) = (of(State::Pass), of(State::Fail), of(State::Unknown));
    format!("{head}: {pass} checks pass, {fail} fail, {unknown} cannot be told; {warnings} warnings{accepted}.")
}

fn proof(text: &mut String, evidence: &[Evidence], all: bool) {
    let most = if all { evidence.len() } else { MOST };
    for one in evidence.iter().take(most) {
        let resource = one.resource.as_ref().map_or("", |id| id.name());
        let place = [resource, &one.property].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
        let gap = if place.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "        {}{gap}{}", place.join(" "), one.says);
    }
    if evidence.len() > most {
        let _ = writeln!(text, "        … and {} more; -v shows all", evidence.len() - most);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::isolation::{Finding, Note};
    use crate::model::ResourceId;

    fn check(name: &'static str, title: &'static str, state: State, evidence: Vec<Evidence>) -> Check {
        Check { name, title, state, evidence, remedy: "Put it back." }
    }

    fn finding(id: &'static str, name: &'static str, weight: Weight) -> Finding {
        let vault = ResourceId::group("s", "g").provider("Microsoft.KeyVault/vaults", "kv");
        let says = "takes <anything> & \"more\"".to_owned();
        let evidence = vec![Evidence { resource: Some(vault), property: "rules/a".to_owned(), says }];
        let (title, proof, remedy) = ("It leaks.", "Use it.", "Close it.");
        Finding { id, name, title, weight, evidence, proof, remedy, accepted: None, expired: None }
    }

    fn consent(until: &str) -> Acceptance {
        let (finding, reason) = ("EXF001".to_owned(), "looked at".to_owned());
        Acceptance { finding, reason, until: Some(until.to_owned()) }
    }

    /// A report with one of everything.
    pub(in super::super) fn sample() -> Report {
        let storage = ResourceId::group("s", "g").provider("Microsoft.Storage/storageAccounts", "stg");
        let at = |says: &str| Evidence {
            resource: Some(storage.clone()),
            property: "publicNetworkAccess".to_owned(),
            says: says.to_owned(),
        };
        let nowhere = Evidence { resource: None, property: String::new(), says: "no parameters".to_owned() };
        let checks = vec![
            check("private-by-name", "By name.", State::Pass, vec![]),
            check("no-public-path", "Nobody from outside.", State::Fail, vec![at("anybody <comes> in")]),
            check("closed-flows", "Closed.", State::Unknown, vec![at("who knows")]),
            check("routes-as-asked", "Routes.", State::Skipped, vec![nowhere]),
        ];
        let accepted = Finding { accepted: Some(consent("2027-06-30")), ..finding("EXF001", "tag", Weight::Warning) };
        let expired = Finding { expired: Some(consent("2026-06-30")), ..finding("EXF002", "star", Weight::Warning) };
        let (open, residual) = (finding("EXF007", "host", Weight::Warning), finding("EXF003", "dns", Weight::Residual));
        let note = Note { resource: storage, property: "properties".to_owned(), what: "the perimeter".to_owned() };
        Report { checks, findings: vec![accepted, expired, open, residual], notes: vec![note] }
    }

    #[test]
    fn a_failure_names_culprit_and_remedy() {
        let text = text(&sample(), false);
        assert!(text.contains("stg publicNetworkAccess: anybody <comes> in"), "{text}");
        assert!(text.contains("remedy: Put it back."), "{text}");
        assert!(
            text.contains("Not isolated: 1 checks pass, 1 fail, 1 cannot be told; 2 warnings, 1 findings accepted")
        );
    }

    #[test]
    fn a_consent_is_shown_with_its_day_and_after_it() {
        let text = text(&sample(), false);
        assert!(text.contains("accepted until 2027-06-30: looked at"), "{text}");
        assert!(text.contains("was accepted until 2026-06-30, no longer: looked at"), "{text}");
    }
}
