//! The one integration-test binary: behaviour seen from outside. Rules are tested beside their code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
#![expect(clippy::print_stdout, reason = "the simulation says how much it played")]

mod architecture;
mod browser;
mod cli;
mod config;
mod damage;
mod fuzz;
mod house;
mod interrupt;
mod papers;
mod remote_state;
mod simulation;
mod verify;
mod wire;
