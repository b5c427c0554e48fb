//! The one integration-test binary: behaviour seen from outside. Rules are tested beside their code.

mod architecture;
mod cli;
mod config;
