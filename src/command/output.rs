//! `privaml output`: prints what the state knows. Needs no connection.

use super::drawing::{self, Reveal};
use super::session::Session;
use crate::failure::{ExitCode, Failure};
use crate::report::outputs::{self, OutputRow};

pub(super) fn run(session: &Session, name: Option<&str>, raw: bool) -> Result<ExitCode, Failure> {
    let state = session.state()?.ok_or_else(|| {
        Failure::new(ExitCode::Usage, format!("there is no state {}", session.options.state.display()))
            .remedy("run `privaml apply` first, or give --state FILE")
    })?;
    let reveal = match name {
        Some(name) => Reveal::One(name),
        None if session.screen.is_json() => Reveal::All,
        None => Reveal::Nothing,
    };
    let rows = drawing::rows(&state, reveal)?;
    match name {
        Some(name) => one(session, &rows, name, raw),
        None if session.screen.is_json() => {
            let text = serde_json::to_string_pretty(&outputs::terraform_json(&rows)).unwrap_or_default();
            session.screen.answer(&text);
            Ok(ExitCode::Done)
        }
        None => {
            if rows.is_empty() {
                session.screen.status("There are no outputs: nothing stands, or `privaml apply` has not ended once.");
            } else {
                session.screen.answer(outputs::table(&rows).trim_end());
            }
            Ok(ExitCode::Done)
        }
    }
}

fn one(session: &Session, rows: &[OutputRow], name: &str, raw: bool) -> Result<ExitCode, Failure> {
    let Some(row) = rows.iter().find(|row| row.name == name) else {
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        return Err(Failure::new(ExitCode::Usage, format!("there is no output `{name}`")).remedy(
            if names.is_empty() {
                "there are none: run `privaml apply` first".to_owned()
            } else {
                format!("one of: {}", names.join(", "))
            },
        ));
    };
    let text = match &row.value {
        serde_json::Value::String(text) if raw => text.clone(),
        value => value.to_string(),
    };
    session.screen.answer(&text);
    Ok(ExitCode::Done)
}
