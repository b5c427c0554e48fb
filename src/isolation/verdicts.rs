//! What a verification says: checks that must hold, findings that somebody may accept, and what was not evaluated.

use serde::{Deserialize, Serialize};

use super::notes::Note;
use crate::model::ResourceId;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It holds.
    Pass,
    /// There was nothing to compare with, or no part it is about.
    Skipped,
    /// It cannot be told offline.
    Unknown,
    /// It does not hold.
    Fail,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Inherent in what Azure ML needs, or closed only outside of this environment.
    Residual,
    /// Could be closed.
    Warning,
}

/// Where something is proved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Evidence {
    /// The resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// Its property, rule, route or record.
    pub property: String,
    /// What it says, and why that matters.
    pub says: String,
}

impl Evidence {
    pub(super) fn new(resource: &ResourceId, property: impl Into<String>, says: impl Into<String>) -> Self {
        Self { resource: Some(resource.clone()), property: property.into(), says: says.into() }
    }
}

/// One invariant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, which never changes.
    pub name: &'static str,
    /// What it promises.
    pub title: &'static str,
    /// Whether it holds.
    pub state: State,
    /// Why not, or why it cannot be told.
    pub evidence: Vec<Evidence>,
    /// What to do.
    pub remedy: &'static str,
}

/// Somebody's consent to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// `EXF001`, …
    pub finding: String,
    /// For the reviewer.
    pub reason: String,
    /// `2027-06-30`: the last day on which it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// One way in which data may leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `EXF001`, …: never changes.
    pub id: &'static str,
    /// A word for it.
    pub name: &'static str,
    /// What is wrong.
    pub title: &'static str,
    /// How much it weighs.
    pub weight: Weight,
    /// Where.
    pub evidence: Vec<Evidence>,
    /// How it would be used.
    pub proof: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Who agreed to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Acceptance>,
    /// Who agreed to it until a day that is over: it counts again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired: Option<Acceptance>,
}

/// The whole verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Invariants.
    pub checks: Vec<Check>,
    /// Ways in which data may leave.
    pub findings: Vec<Finding>,
    /// What is not evaluated.
    pub notes: Vec<Note>,
}

impl Report {
    /// Whether an invariant is violated.
    #[must_use]
    pub fn is_violated(&self) -> bool {
        self.checks.iter().any(|check| check.state == State::Fail)
    }

    /// Whether there is a warning that nobody accepted, or an invariant that cannot be told: what `--strict` fails on.
    #[must_use]
    pub fn has_warnings(&self) -> bool {
        let open = |finding: &Finding| finding.weight == Weight::Warning && finding.accepted.is_none();
        self.findings.iter().any(open) || self.checks.iter().any(|check| check.state == State::Unknown)
    }
}
