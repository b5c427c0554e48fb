//! One verb a file: gathers inputs, calls pure code, hands effects over. Decides nothing about resources.

mod apply;
mod audit;
mod completions;
mod connect;
mod destroy;
mod drawing;
mod entries;
mod errors;
mod explain;
mod export;
mod graph;
mod history;
mod init;
mod interrupt;
mod output;
mod paper;
mod plan;
mod proof;
mod recover;
mod remote;
mod report;
mod running;
mod sandbox;
mod session;
mod state;
mod verify;
mod whoami;

use crate::cli::{Cli, Verb};
use crate::failure::{ExitCode, Failure};
use crate::report::{json, logs};
use session::Session;

/// Carries out the command line; errors are printed, the exit code is returned.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    logs::start(cli.common.verbose, cli.common.json);
    let streams = matches!(cli.verb, Verb::Plan { .. } | Verb::Apply { .. } | Verb::Destroy { .. });
    let session = Session::new(cli.common, streams);
    if session.screen.is_json() && streams {
        session.screen.event(json::version());
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            session.screen.failure(&Failure::new(ExitCode::Failed, "cannot start").because(error.to_string()));
            return ExitCode::Failed;
        }
    };
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = carry_out(&session, cli.verb) => ended,
            () = session.interrupts.unheard() => Err(Failure::new(ExitCode::Interrupted, "interrupted")
                .remedy("run the command again: it goes on from the state on disk")),
        }
    });
    // A thread that still waits for an answer on the terminal is not waited for.
    runtime.shutdown_background();
    let ended = ended.and_then(|code| session.screen.is_whole().map(|()| code));
    ended.unwrap_or_else(|failure| {
        session.screen.failure(&failure);
        failure.exit
    })
}

async fn carry_out(session: &Session, verb: Verb) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Init { force } => init::run(session, force),
        Verb::Plan { detailed_exitcode, consent } => plan::run(session, detailed_exitcode, &consent).await,
        Verb::Apply { yes, consent, proof } => apply::run(session, yes, &consent, &proof).await,
        Verb::Destroy { yes } => destroy::run(session, yes).await,
        Verb::Output { name, raw } => output::run(session, name.as_deref(), raw),
        Verb::State { act } => state::run(session, act).await,
        Verb::Recover { group } => recover::run(session, group.as_deref()).await,
        Verb::Verify(args) => verify::run(session, &args).await,
        Verb::Explain(args) => explain::run(session, &args),
        Verb::Export(args) => export::run(session, &args),
        Verb::Graph(args) => graph::run(session, &args),
        Verb::Report(args) => report::run(session, &args).await,
        Verb::Whoami => whoami::run(session).await,
        Verb::Sandbox { act } => sandbox::run(session, act).await,
        Verb::Completions { shell } => completions::run(session, shell),
    }
}
