//! Complaints of infrastructure scanners that are accepted, each with its reason: `config/scanner.toml`. Put into exported
//! templates and into `docs/scanner.md`. Data only.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::config::Profile;
use crate::model::Address;

/// One accepted complaint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The scanner's number for it.
    pub check: String,
    /// What the scanner wants, in our words.
    pub wants: String,
    /// Whom it is about: addresses.
    pub resources: Vec<Address>,
    /// Where it applies.
    pub profiles: Vec<Profile>,
    /// Why it is accepted.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    accepted: Vec<Accepted>,
}

/// Every accepted complaint, in the order of the file.
#[must_use]
pub fn accepted() -> &'static [Accepted] {
    static FILE: LazyLock<File> =
        LazyLock::new(|| toml::from_str(include_str!("../../config/scanner.toml")).expect("checked by a test"));
    &FILE.accepted
}

/// What is accepted of one resource in a profile, as `CHECK: reason`.
#[must_use]
pub fn accepted_of(address: &Address, profile: Profile) -> Vec<String> {
    let here = accepted().iter().filter(|one| one.resources.contains(address) && one.profiles.contains(&profile));
    here.map(|one| format!("{}: {}", one.check, one.reason)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::draw;
    use crate::blueprint::tests::{config, facts};

    #[test]
    fn each_is_about_resources_that_exist_and_says_why() {
        let drawn = draw(&config(), &facts());
        for one in accepted() {
            assert!(one.reason.ends_with('.') && one.reason.len() > 40, "{}: {}", one.check, one.reason);
            assert!(!one.reason.contains('\n') && !one.profiles.is_empty());
            for address in &one.resources {
                assert!(drawn.iter().any(|desired| desired.address == *address), "{}: {address}", one.check);
            }
        }
    }
}
