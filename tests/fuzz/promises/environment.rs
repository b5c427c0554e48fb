//! Any parameters that are accepted: drawn without two resources in one place, planned whole, and verified. Slower than
//! `parameters`, which looks at the text.

use std::collections::BTreeSet;

use privaml::blueprint;
use privaml::config;
use privaml::isolation::{self, Asked, Model};
use privaml::model::{CloudNames, Facts, Observed, State};
use privaml::plan::{self, Consent};
use uuid::Uuid;

/// The target.
///
/// # Panics
/// When a promise is broken.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(parsed) = config::parse("params.toml", text) else { return };
    let drawn = blueprint::draw(&parsed.config, &facts());
    let ids: BTreeSet<_> = drawn.iter().map(|one| &one.id).collect();
    assert_eq!(ids.len(), drawn.len(), "two resources have one id");
    let plan = plan::plan(&drawn, &State::empty(facts().lineage), &Observed::default(), &Consent::default());
    let plan = plan.unwrap_or_else(|error| panic!("accepted parameters cannot be planned: {error}"));
    assert_eq!(plan.steps.len(), drawn.len(), "a fresh environment is created whole");
    let report = isolation::verify(&Model::of_plan(&drawn), &Asked::of(&parsed.config, &drawn));
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
        cloud: CloudNames::public(),
        firewall_address: None,
    }
}
