//! Findings: what each profile has, and that lists of thousands take no time.

use super::super::tests::{drawn, facts};
use super::super::verify;
use super::*;
use crate::config::Profile;

fn ids(profile: Profile) -> Vec<&'static str> {
    all(&drawn(profile), &Asked::nothing("westeurope")).into_iter().map(|finding| finding.id).collect()
}

#[test]
fn the_baseline_has_the_known_leaks_and_hardened_only_what_is_inherent() {
    let baseline = ids(Profile::Baseline);
    for id in ["EXF001", "EXF002", "EXF003", "EXF004", "EXF005", "EXF006", "EXF007", "EXF008", "EXF015"] {
        assert!(baseline.contains(&id), "{id} in {baseline:?}");
    }
    let findings = all(&drawn(Profile::Hardened), &Asked::nothing("westeurope"));
    let warnings: Vec<_> = findings.iter().filter(|f| f.weight == Weight::Warning).collect();
    assert!(warnings.is_empty(), "{warnings:#?}");
}

#[test]
fn numbers_are_unique_and_sorted() {
    assert!(CARDS.windows(2).all(|pair| pair[0].id < pair[1].id));
}

#[test]
fn five_thousand_entries_are_verified() {
    use crate::config::{self, Allow, Config};
    let allow = (0..5000).map(|n| Allow { host: format!("h{n}.example.org"), reason: "Load.".to_owned() }).collect();
    let config = Config { profile: Profile::Hardened, allow, ..config::defaults() };
    let plan = crate::blueprint::draw(&config, &facts());
    let model = Model::of_plan(&plan);
    let report = verify(&model, &Asked::of(&config, &plan));
    assert!(!report.is_violated(), "{:#?}", report.checks);
    assert!(!report.findings.iter().any(|finding| finding.id == "EXF009"));
}

#[test]
fn the_page_of_rules_names_every_check_and_finding() {
    let page = include_str!("../../../docs/isolation-model.md");
    for card in &CARDS {
        let weight = if card.weight == Weight::Warning { "warning" } else { "residual" };
        let row = format!("| {} | {} | {weight} |", card.id, card.name);
        assert!(page.contains(&row), "{row}");
    }
    for check in verify(&drawn(Profile::Baseline), &Asked::nothing("westeurope")).checks {
        assert!(page.contains(&format!("| `{}`", check.name)), "{}", check.name);
    }
}
