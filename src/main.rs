//! The thin binary: parse, run, exit code. Nothing else lives here.

use std::process::ExitCode;

use clap::Parser as _;
use privaml::cli::Cli;

fn main() -> ExitCode {
    ExitCode::from(privaml::command::run(Cli::parse()).code())
}
