//! What a command hands out as a document: to the file that was named, else to stdout. Decides nothing about its content.

use std::path::Path;

use super::session::Session;
use crate::failure::{ExitCode, Failure};

/// Hands `text` out.
pub(super) fn deliver(session: &Session, path: Option<&Path>, text: &str) -> Result<(), Failure> {
    let Some(path) = path else {
        session.screen.answer(text.trim_end());
        return Ok(());
    };
    let text = format!("{}\n", text.trim_end());
    std::fs::write(path, text).map_err(|error| {
        Failure::new(ExitCode::Failed, format!("cannot write {}", path.display())).because(error.to_string())
    })?;
    session.screen.notify(&format!("Wrote {}.", path.display()));
    Ok(())
}
