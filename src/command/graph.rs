//! `privaml graph`: the environment as a picture. Writes one file at most; asks no cloud.

use serde_json::Value;

use super::session::Session;
use super::{entries, explain, paper};
use crate::cli::{GraphArgs, GraphFormat};
use crate::failure::{ExitCode, Failure};
use crate::isolation::{Asked, Model, Topology};
use crate::report::entry::Entry;
use crate::report::picture;

pub(super) fn run(session: &Session, args: &GraphArgs) -> Result<ExitCode, Failure> {
    let (topology, title) = if let Some(path) = &args.bodies {
        let title = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (Topology::of(&Model::of_bodies(&explain::of_file(path)?), &Asked::nothing("")), title)
    } else {
        let environment = entries::of(session)?;
        let bodies: Vec<Value> = environment.bodies();
        let asked = Asked::of(&environment.config, &environment.desired);
        (Topology::of(&Model::of_bodies(&bodies), &asked), title(&environment.entries))
    };
    let text = match args.format {
        GraphFormat::Svg => picture::svg(&topology, &title),
        GraphFormat::Dot => picture::dot(&topology, &title),
        GraphFormat::Mermaid => picture::mermaid(&topology, &title),
    };
    paper::deliver(session, args.output.as_deref(), &text)?;
    Ok(ExitCode::Done)
}

/// The group and its region.
pub(super) fn title(entries: &[Entry]) -> String {
    let group = entries.iter().find(|entry| entry.address.kind() == "resource_group");
    group.map_or_else(
        || "Environment".to_owned(),
        |entry| format!("{}, {}", entry.id.name(), entry.body["location"].as_str().unwrap_or_default()),
    )
}
