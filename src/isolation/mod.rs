//! The isolation proof: compiles resource bodies, planned or live, to a model of the network and answers whether a flow
//! gets through, and by which rule. Pure; what it does not know it says instead of guessing. Rules and their sources:
//! `docs/isolation-model.md`.

mod asked;
mod choice;
mod dns;
mod endpoint;
mod filter;
mod findings;
mod firewall;
mod flow;
mod flow_checks;
pub mod fqdn;
mod inbound;
mod invariants;
mod judged;
mod model;
mod moments;
mod network;
mod notes;
mod nsg;
mod party;
mod place;
mod read;
mod route;
mod rule_leaks;
mod service;
mod setting_leaks;
pub mod span;
mod tag;
#[cfg(test)]
mod tests;
mod topology;
mod verdicts;
mod walk;
mod way_out;

pub use asked::{Asked, Closed};
pub use choice::Verdict;
pub use findings::finding_names;
pub use flow::{Answer, BadFlow, Flow, Hop, Protocol};
pub use invariants::check_names;
pub use judged::{JudgedFlow, judged_flows};
pub use model::Model;
pub use moments::{Change, History};
pub use notes::Note;
pub use topology::{Member, MemberKind, NetworkZone, SubnetZone, Topology, Way, WayKind};
pub use verdicts::{Acceptance, Check, Evidence, Finding, Report, State, Weight};

/// Judges an environment: its invariants, and the ways in which data may leave it.
#[must_use]
pub fn verify(model: &Model, asked: &Asked) -> Report {
    Report {
        checks: invariants::all(model, asked),
        findings: findings::all(model, asked),
        notes: model.notes().iter().chain(&asked.unread).cloned().collect(),
    }
}
