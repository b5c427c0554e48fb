//! An ARM that fits in memory. Does not import `arm` or `plan`: it must not share the client's reading of ARM.
//!
//! `respond(&mut World, now, &Request) -> Reply` is the whole protocol, pure and deterministic. Around it stand two
//! shells with the same answers: [`Sandbox`] (an `HttpClient` of `azure_core`, no socket) and [`server`] (HTTP, HTTPS).

mod address;
mod clock;
mod delete;
pub mod fault;
mod inline;
mod json;
mod login;
mod operation;
mod path;
mod provider;
mod reply;
mod respond;
mod rules;
pub mod server;
mod subscription;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod world;
mod write;

pub use clock::SandboxClock;
pub use reply::{Reply, Request};
pub use respond::respond;
pub use transport::{Error, Sandbox, SandboxCredential};
pub use world::{Resource, Tombstone, World};
