//! `privaml export`: the environment as an ARM template or as plain bodies. Writes one file at most; asks no cloud.

use super::session::Session;
use super::{entries, explain, paper};
use crate::blueprint::scanner;
use crate::cli::{ExportArgs, ExportFormat};
use crate::failure::{ExitCode, Failure};
use crate::report::entry::{self, Entry};
use crate::report::template;

pub(super) fn run(session: &Session, args: &ExportArgs) -> Result<ExitCode, Failure> {
    let mut environment = entries::of(session)?;
    let text = match args.format {
        ExportFormat::Arm => {
            let profile = environment.config.profile;
            let accepted = |one: &Entry| scanner::accepted_of(&one.address, profile);
            serde_json::to_string_pretty(&template::arm(&environment.entries, &accepted))
        }
        ExportFormat::Json => {
            // What Azure reported, such as addresses, is part of a body as ARM returns it.
            for known in environment.state.iter().flat_map(|state| &state.resources) {
                let here = environment.entries.iter_mut().filter(|one| one.address == *known.0);
                here.for_each(|one| one.body = explain::applied(known.1));
            }
            serde_json::to_string_pretty(&entry::bodies(&environment.entries))
        }
    };
    let text = text.map_err(|error| Failure::new(ExitCode::Failed, "cannot export").because(error.to_string()))?;
    paper::deliver(session, args.output.as_deref(), &text)?;
    Ok(ExitCode::Done)
}
