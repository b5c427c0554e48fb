//! `privaml init`: writes the commented parameter file. Touches nothing else.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use super::session::Session;
use crate::config::TEMPLATE;
use crate::failure::{ExitCode, Failure};

pub(super) fn run(session: &Session, force: bool) -> Result<ExitCode, Failure> {
    let path = session.options.config.clone().unwrap_or_else(|| PathBuf::from("params.toml"));
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options.open(&path).and_then(|mut file| file.write_all(TEMPLATE.as_bytes()));
    match written {
        Ok(()) => {
            session.screen.answer(&format!("Wrote {}.", path.display()));
            session.screen.status("Next: edit it, then `privaml apply --sandbox` to try, or `privaml plan` for Azure.");
            Ok(ExitCode::Done)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Failure::new(ExitCode::Usage, format!("{} is already there", path.display()))
                .remedy("give --force to overwrite it, or -c FILE for another name"))
        }
        Err(error) => {
            Err(Failure::new(ExitCode::Failed, format!("cannot write {}", path.display())).because(error.to_string()))
        }
    }
}
