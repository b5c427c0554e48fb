//! `privaml export`: the environment as an ARM template or as plain bodies. Writes one file at most; asks no cloud.

use super::session::Session;
use super::{entries, paper};
use crate::blueprint::scanner;
use crate::cli::{ExportArgs, ExportFormat};
use crate::failure::{ExitCode, Failure};
use crate::report::entry::Entry;
use crate::report::template;

pub(super) fn run(session: &Session, args: &ExportArgs) -> Result<ExitCode, Failure> {
    let environment = entries::of(session)?;
    let text = match args.format {
        ExportFormat::Arm => {
            let profile = environment.config.profile;
            let accepted = |one: &Entry| scanner::accepted_of(&one.address, profile);
            serde_json::to_string_pretty(&template::arm(&environment.entries, &accepted))
        }
        ExportFormat::Json => serde_json::to_string_pretty(&environment.bodies()),
    };
    let text = text.map_err(|error| Failure::new(ExitCode::Failed, "cannot export").because(error.to_string()))?;
    paper::deliver(session, args.output.as_deref(), &text)?;
    Ok(ExitCode::Done)
}
