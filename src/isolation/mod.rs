//! The isolation proof: compiles resource bodies, planned or live, to a model of the network and answers whether a flow
//! gets through, and by which rule. Pure; what it does not know it says instead of guessing. Rules and their sources:
//! `docs/isolation-model.md`.

mod choice;
mod dns;
mod endpoint;
mod filter;
mod firewall;
mod flow;
mod fqdn;
mod inbound;
mod model;
mod network;
mod notes;
mod nsg;
mod party;
mod place;
mod read;
mod route;
mod service;
mod span;
mod tag;
#[cfg(test)]
mod tests;
mod walk;
mod way_out;

pub use choice::Verdict;
pub use flow::{Answer, BadFlow, Flow, Hop, Protocol};
pub use model::Model;
pub use notes::Note;
