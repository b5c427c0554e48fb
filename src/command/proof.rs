//! What plan and apply ask the verifier: whether the plan would be isolated, and whether what was made is. Reads only.

use super::connect::Connection;
use super::session::Session;
use super::verify::today;
use super::{audit, history};
use crate::arm;
use crate::config::Config;
use crate::failure::{ExitCode, Failure};
use crate::isolation::{Acceptance, Asked, Check, Model, Report, State as Verdict, check_names, finding_names, verify};
use crate::model::{Desired, State};
use crate::report::{json, verdict};

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// What an apply would make.
    Plan,
    /// What it made.
    Live,
}

impl Stage {
    const fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Live => "live",
        }
    }
}

/// Checks and findings that the user overrides by name, for this run only.
#[derive(Debug)]
pub(super) struct Overrides<'a>(&'a [String]);

impl<'a> Overrides<'a> {
    /// The names of `--accept`; each must be one.
    pub(super) fn of(names: &'a [String]) -> Result<Self, Failure> {
        let known = || check_names().into_iter().chain(finding_names().flat_map(|(id, name)| [id, name]));
        let Some(unknown) = names.iter().find(|name| !known().any(|one| one.eq_ignore_ascii_case(name))) else {
            return Ok(Self(names));
        };
        let closeness = |one: &&str| strsim::jaro_winkler(&one.to_lowercase(), &unknown.to_lowercase());
        let near = known().min_by(|a, b| closeness(b).total_cmp(&closeness(a))).unwrap_or_default();
        Err(Failure::new(ExitCode::Usage, format!("there is no check or finding `{unknown}`"))
            .because("it is named by --accept")
            .remedy(format!("did you mean `{near}`? `privaml verify` shows all of them")))
    }

    fn accept(&self, check: &Check) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(check.name))
    }

    /// What is violated and not overridden.
    fn open<'r>(&self, report: &'r Report) -> Vec<&'r Check> {
        report.checks.iter().filter(|check| check.state == Verdict::Fail && !self.accept(check)).collect()
    }

    /// Findings named here count as accepted in this run.
    fn consents(&self) -> Vec<Acceptance> {
        let named = finding_names().filter(|(id, name)| {
            self.0.iter().any(|one| one.eq_ignore_ascii_case(id) || one.eq_ignore_ascii_case(name))
        });
        named.map(|(id, _)| Acceptance { finding: id.to_owned(), reason: "--accept".to_owned(), until: None }).collect()
    }

    fn asked(&self, config: &Config, desired: &[Desired]) -> Asked {
        let mut asked = Asked::of(config, desired).on(today());
        asked.accepted.extend(self.consents());
        asked
    }
}

/// Says what the verifier thinks of the plan; a violation that is not overridden is the error.
pub(super) fn of_plan(
    session: &Session,
    config: &Config,
    desired: &[Desired],
    overrides: &Overrides<'_>,
) -> Result<(), Failure> {
    let report = verify(&Model::of_plan(desired), &overrides.asked(config, desired));
    tell(session, &report, Stage::Plan, overrides);
    let open = overrides.open(&report);
    if open.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = open.iter().map(|check| check.name).collect();
    Err(Failure::new(ExitCode::Violation, format!("the plan is not isolated: {}", names.join(", ")))
        .because(open.first().map(|check| verdict::culprit(check)).unwrap_or_default())
        .because("nothing was written")
        .remedy(format!("mend the parameters, or go ahead all the same with --accept {}", names.join(" --accept "))))
}

/// Reads what an apply made and judges it. What cannot be read or told does not fail an apply.
pub(super) async fn of_live(
    session: &Session,
    connection: &Connection,
    state: &State,
    (config, desired): (&Config, &[Desired]),
    overrides: &Overrides<'_>,
) -> ExitCode {
    let look = || async {
        let live = audit::of_state(connection, state).await?;
        let model = Model::of_bodies(&live.bodies);
        let asked = Asked { history: history::of(state), ..overrides.asked(config, desired) };
        Ok::<Report, Failure>(verify(&model, &asked.without(live.unread)))
    };
    let mut report = look().await;
    if report.as_ref().is_ok_and(|report| !overrides.open(report).is_empty()) {
        // ARM shows some writes a moment late; a violation is one that stays.
        connection.client.clock().sleep(arm::DOUBT).await;
        report = look().await;
    }
    match report {
        Err(failure) => {
            let text =
                format!("What was made could not be verified: {}. `privaml verify` tries again.", failure.message);
            session.screen.notify(&text);
            ExitCode::Done
        }
        Ok(report) => {
            tell(session, &report, Stage::Live, overrides);
            let holds = overrides.open(&report).is_empty();
            if holds { ExitCode::Done } else { ExitCode::Violation }
        }
    }
}

fn tell(session: &Session, report: &Report, stage: Stage, overrides: &Overrides<'_>) {
    let accepted: Vec<&str> =
        report.checks.iter().filter(|check| overrides.accept(check)).map(|check| check.name).collect();
    if session.screen.is_json() {
        session.screen.event(json::of_verification(report, stage.word(), &accepted));
        return;
    }
    let head = match (stage, overrides.open(report).is_empty()) {
        (Stage::Plan, true) => None,
        (Stage::Plan, false) => Some("The plan is not isolated:"),
        (Stage::Live, true) => Some("Verified: no invariant is violated. `privaml verify` shows all of it."),
        (Stage::Live, false) => Some(
            "What was made is not isolated. The environment stands and its state is saved; `privaml verify` looks again.",
        ),
    };
    for line in head.map(str::to_owned).into_iter().chain(verdict::violations(report, &accepted)) {
        session.screen.status(&line);
    }
}
