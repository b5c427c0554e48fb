//! Any text as a parameter file: judged with a place for every complaint; what is accepted can be kept, drawn and planned.

use std::collections::BTreeSet;

use privaml::blueprint;
use privaml::config::{self, Config};
use privaml::isolation::{self, Asked, Model};
use privaml::model::{Facts, Observed, State};
use privaml::plan::{self, Consent};
use privaml::store::file;
use uuid::Uuid;

/// The target.
///
/// # Panics
/// When a promise is broken.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match config::parse("params.toml", text) {
        Ok(parsed) => {
            let _ = parsed.warnings.render(80, false);
            accepted(&parsed.config);
        }
        Err(problems) => {
            assert!(problems.has_errors(), "refused without saying why");
            assert!(problems.iter().all(|problem| problem.line > 0 && problem.column > 0));
            let _ = (problems.render(80, true), problems.render(1, false));
            assert_eq!(problems.as_json().as_array().map(Vec::len), Some(problems.len()));
        }
    }
}

fn accepted(config: &Config) {
    let mut state = State::empty(facts().lineage);
    state.parameters = serde_json::to_value(config).expect("parameters are JSON");
    let kept = file::parse(&file::print(&state).expect("a state is JSON")).expect("what is written is read");
    let read: Config = serde_json::from_value(kept.parameters).expect("kept parameters are read");
    assert_eq!(&read, config, "parameters change on the way through the state");
    let drawn = blueprint::draw(config, &facts());
    let ids: BTreeSet<_> = drawn.iter().map(|one| &one.id).collect();
    assert_eq!(ids.len(), drawn.len(), "two resources have one id");
    let plan = plan::plan(&drawn, &State::empty(facts().lineage), &Observed::default(), &Consent::default());
    let plan = plan.unwrap_or_else(|error| panic!("accepted parameters cannot be planned: {error}"));
    assert_eq!(plan.steps.len(), drawn.len(), "a fresh environment is created whole");
    let report = isolation::verify(&Model::of_plan(&drawn), &Asked::of(config, &drawn));
    assert!(!report.checks.is_empty());
}

/// Facts of an environment that is not there yet.
#[must_use]
pub fn facts() -> Facts {
    Facts {
        subscription: "00000000-0000-0000-0000-00000000000a".to_owned(),
        tenant: "00000000-0000-0000-0000-00000000000b".to_owned(),
        lineage: Uuid::from_u128(12),
        suffix: "1234".to_owned(),
        jumpbox_user: "jbxabcd".to_owned(),
        cloud: privaml::model::CloudNames::public(),
        firewall_address: None,
    }
}
