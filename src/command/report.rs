//! `privaml report`: the whole judgement as one HTML page: of what is there now, of the last apply, or of the plan with
//! -c. Reads; changes nothing but the page's file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;

use super::entries::Environment;
use super::session::Session;
use super::{entries, graph, history, paper, verify};
use crate::cli::ReportArgs;
use crate::config::Profile;
use crate::failure::{ExitCode, Failure};
use crate::isolation::{Asked, Model, Topology, judged_flows};
use crate::model::ResourceId;
use crate::report::page::{self, Page};

pub(super) async fn run(session: &Session, args: &ReportArgs) -> Result<ExitCode, Failure> {
    let environment = entries::of(session)?;
    let mut asked = Asked::of(&environment.config, &environment.desired).on(verify::today());
    asked.history = environment.state.as_ref().and_then(history::of);
    let (mut bodies, judged) = match &environment.state {
        Some(state) if !args.offline => {
            let live = verify::live(session, state).await?;
            asked = asked.without(live.unread);
            (live.bodies, "as it is in Azure now")
        }
        Some(_) => (environment.bodies(), "as it was applied last"),
        None => (environment.bodies(), "as the parameters would make it"),
    };
    let now = OffsetDateTime::now_utc();
    let model = Model::of_bodies(&bodies);
    let report = crate::isolation::verify(&model, &asked);
    let versions: BTreeMap<String, &str> =
        environment.entries.iter().map(|entry| (entry.id.key(), entry.api_version.as_str())).collect();
    list_unread(&mut bodies, environment.bodies());
    complete(&mut bodies, &versions);
    let title = graph::title(&environment.entries);
    let addresses = environment.entries.iter().map(|one| (one.id.key(), one.address.to_string())).collect();
    let text = page::html(&Page {
        title: &title,
        facts: facts(&environment, judged, now),
        topology: &Topology::of(&model, &asked),
        report: &report,
        flows: &judged_flows(&model, &asked),
        bodies: &bodies,
        addresses: &addresses,
    });
    let path = args.output.as_path();
    paper::deliver(session, (path != Path::new("-")).then_some(path), &text)?;
    Ok(ExitCode::Done)
}

/// Adds to the inventory what decides over no flow and so was not read, as it was applied last.
fn list_unread(bodies: &mut Vec<Value>, applied: Vec<Value>) {
    let read: BTreeSet<String> = bodies.iter().map(key).collect();
    bodies.extend(applied.into_iter().filter(|body| !read.contains(&key(body))));
}

fn key(body: &Value) -> String {
    ResourceId::new(body["id"].as_str().unwrap_or_default()).key()
}

/// What ARM leaves out of its replies, and an order that does not depend on them.
fn complete(bodies: &mut [Value], versions: &BTreeMap<String, &str>) {
    for body in bodies.iter_mut().filter(|body| body.is_object()) {
        if let Some(version) = versions.get(&key(body)) {
            body["apiVersion"] = Value::from(*version);
        }
    }
    bodies.sort_by_key(key);
}

fn facts(environment: &Environment, judged: &str, now: OffsetDateTime) -> Vec<(&'static str, String)> {
    let profile = match environment.config.profile {
        Profile::Baseline => "baseline",
        Profile::Hardened => "hardened",
    };
    let date = now.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap_or_default();
    let home = environment.state.as_ref().and_then(|state| state.home.as_ref());
    let mut facts = vec![
        ("Judged", judged.to_owned()),
        ("Date", date),
        ("Profile", profile.to_owned()),
        ("Resources", environment.entries.len().to_string()),
        ("privaml", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    facts.extend(home.map(|home| ("Subscription", format!("{} ({})", home.subscription, home.cloud))));
    facts.push(("SHA-256 of the plan", hash(environment)));
    facts
}

/// The digest of what `export --format json` writes, so that anybody can compare it.
fn hash(environment: &Environment) -> String {
    let text = serde_json::to_string_pretty(&environment.bodies()).unwrap_or_default();
    format!("{:x}", Sha256::digest(format!("{text}\n")))
}
