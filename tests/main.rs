//! The one integration-test binary: behaviour seen from outside. Rules are tested beside their code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod architecture;
mod cli;
mod config;
mod wire;
