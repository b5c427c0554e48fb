//! `privaml completions SHELL`: the completion script on stdout.

use clap::CommandFactory as _;

use super::session::Session;
use crate::cli::Cli;
use crate::failure::{ExitCode, Failure};

pub(super) fn run(session: &Session, shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "privaml", &mut script);
    let script = String::from_utf8(script)
        .map_err(|error| Failure::new(ExitCode::Failed, "cannot write the script").because(error.to_string()))?;
    session.screen.answer(script.trim_end());
    Ok(ExitCode::Done)
}
