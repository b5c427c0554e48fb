//! `privaml explain`: whether a flow gets through, hop by hop. Reads parameters, the state, or a file of bodies; asks
//! no cloud.

use std::path::Path;

use serde_json::{Value, json};

use super::session::Session;
use super::{audit, drawing};
use crate::arm::Cloud;
use crate::blueprint;
use crate::cli::ExplainArgs;
use crate::config::Config;
use crate::failure::{ExitCode, Failure};
use crate::isolation::{Flow, Model};
use crate::model::{Desired, Facts, State};
use crate::report::explain;

/// Wrong lines of a file that are named.
const MOST: usize = 10;

pub(super) fn run(session: &Session, args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let model = match &args.bodies {
        Some(path) => Model::of_bodies(&of_file(path)?),
        None => environment(session)?,
    };
    if model.is_empty() {
        return Err(Failure::new(ExitCode::Usage, "there is nothing to judge: no network, firewall or service"));
    }
    match (&args.flows, &args.from, &args.to) {
        (Some(path), _, _) => bulk(session, &model, path),
        (None, Some(from), Some(to)) => one(session, &model, from, to, args),
        _ => Err(Failure::new(ExitCode::Usage, "which flow?")
            .remedy("`privaml explain FROM TO`, or --flows FILE with one JSON object a line")),
    }
}

fn one(session: &Session, model: &Model, from: &str, to: &str, args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let flow = Flow::new(from, to, args.port, args.protocol.as_deref()).map_err(|error| {
        Failure::new(ExitCode::Usage, format!("{from} to {to} is no flow")).because(error.to_string())
    })?;
    model.knows(&flow).map_err(|why| {
        Failure::new(ExitCode::Usage, why).remedy(format!("subnets here: {}", model.subnet_names().join(", ")))
    })?;
    let answer = model.flow(&flow);
    if session.screen.is_json() {
        session.screen.answer(&serde_json::to_string(&answer).unwrap_or_default());
        return Ok(ExitCode::Done);
    }
    session.screen.answer(&explain::text(&flow, &answer));
    if session.options.verbose > 0 {
        for note in model.notes() {
            session.screen.status(&note.to_string());
        }
    }
    Ok(ExitCode::Done)
}

/// One answer a line, in the order of the questions. All questions are read before the first is answered.
fn bulk(session: &Session, model: &Model, path: &Path) -> Result<ExitCode, Failure> {
    let text = read(path)?;
    let mut flows = Vec::new();
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match Flow::from_json(line) {
            Ok(flow) => flows.push(flow),
            Err(error) => wrong.push(format!("line {}: {error}", number + 1)),
        }
    }
    if !wrong.is_empty() {
        let mut failure = Failure::new(ExitCode::Usage, format!("{} has lines that are no flow", path.display()));
        let rest = wrong.len().saturating_sub(MOST);
        for line in wrong.into_iter().take(MOST) {
            failure = failure.because(line);
        }
        if rest > 0 {
            failure = failure.because(format!("and {rest} more"));
        }
        return Err(failure
            .remedy(r#"one a line: {"from": "SharedSubnet", "to": "example.com", "port": 443, "protocol": "https"}"#));
    }
    let answers: Vec<String> =
        flows.iter().map(|flow| serde_json::to_string(&model.flow(flow)).unwrap_or_default()).collect();
    if !answers.is_empty() {
        session.screen.answer(&answers.join("\n"));
    }
    Ok(ExitCode::Done)
}

/// Text as UTF-8; Windows PowerShell begins it with a mark, or writes UTF-16, which is refused.
fn read(path: &Path) -> Result<String, Failure> {
    let refuse = || Failure::new(ExitCode::Usage, format!("cannot read {}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| refuse().because(error.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| refuse().because(format!("it is not UTF-8 text: {error}")).remedy("save it as UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// A JSON array of bodies, a list of them in `value` as ARM pages it, or one body.
pub(super) fn of_file(path: &Path) -> Result<Vec<Value>, Failure> {
    let refuse = |why: String| {
        Failure::new(ExitCode::Usage, format!("{} holds no resources", path.display()))
            .because(why)
            .remedy("a JSON array of ARM resources is expected, each with `id` and `properties`")
    };
    let document: Value = serde_json::from_str(&read(path)?).map_err(|error| refuse(error.to_string()))?;
    let list = match document {
        Value::Array(list) => list,
        Value::Object(body) if body.contains_key("id") => vec![Value::Object(body)],
        mut other => match other.get_mut("value").map(Value::take) {
            Some(Value::Array(list)) => list,
            _ => return Err(refuse("it is no array, no list in `value` and no resource".to_owned())),
        },
    };
    if let Some(at) = list.iter().position(|body| body.get("id").and_then(Value::as_str).is_none()) {
        return Err(refuse(format!("item {at} has no `id`")));
    }
    let deciding = list.iter().filter(|body| audit::decides(body)).count();
    if deciding > 0 && audit::hollow(&list).len() == deciding {
        return Err(refuse("none has `properties`".to_owned())
            .remedy("`az resource list` leaves them out; `privaml verify --resource-group NAME` reads them"));
    }
    Ok(list)
}

/// The plan where parameters are given or nothing was applied yet, else what was applied last.
fn environment(session: &Session) -> Result<Model, Failure> {
    match session.state()? {
        Some(state) if session.options.config.is_none() && !state.resources.is_empty() => {
            session.screen.notify("Judged by what was applied last.");
            let bodies: Vec<Value> = state.resources.values().map(applied).collect();
            Ok(Model::of_bodies(&bodies))
        }
        state => {
            if session.options.config.is_none() && !Path::new("params.toml").exists() {
                session.screen.notify("No state and no parameters here: judged by the built-in defaults.");
            }
            Ok(Model::of_plan(&planned(session, state.as_ref())?))
        }
    }
}

/// What the parameters at hand would make.
pub(super) fn planned(session: &Session, state: Option<&State>) -> Result<Vec<Desired>, Failure> {
    Ok(drawn(&session.parameters()?, state))
}

/// What these parameters would make, with the names that the state knows.
pub(super) fn drawn(config: &Config, state: Option<&State>) -> Vec<Desired> {
    let drawn = state.map(|state| &state.generated);
    let home = state.and_then(|state| state.home.as_ref());
    let public = home.and_then(|home| Cloud::named(&home.cloud)).unwrap_or_else(Cloud::public).names;
    let names = state.and_then(|state| state.cloud_names.clone()).unwrap_or(public);
    // Names that are not drawn yet: nothing of the proof depends on them.
    let facts = Facts {
        subscription: home.map_or_else(|| uuid::Uuid::nil().to_string(), |home| home.subscription.clone()),
        tenant: home.map_or_else(|| uuid::Uuid::nil().to_string(), |home| home.tenant.clone()),
        lineage: state.map_or_else(uuid::Uuid::nil, |state| state.lineage),
        suffix: drawn.and_then(|drawn| drawn.suffix.clone()).unwrap_or_else(|| "0000".to_owned()),
        jumpbox_user: drawn.and_then(|drawn| drawn.jumpbox_user.clone()).unwrap_or_else(|| "user".to_owned()),
        cloud: names,
        firewall_address: state.and_then(drawing::firewall_address),
    };
    blueprint::draw(config, &facts)
}

/// What was said of a resource, with what Azure reported of it laid over.
pub(super) fn applied(known: &crate::model::Known) -> Value {
    laid(known.id.as_str(), &known.applied, &known.reported)
}

/// The body of a resource: what was said of it, with what was reported laid over.
pub(super) fn laid(id: &str, said: &Value, reported: &Value) -> Value {
    let mut body = if said.is_object() { said.clone() } else { json!({}) };
    for (pointer, value) in reported.as_object().into_iter().flatten() {
        lay(&mut body, pointer, value);
    }
    body["id"] = Value::from(id);
    body
}

/// Sets the value at a pointer, making objects on the way; lists are not grown.
fn lay(body: &mut Value, pointer: &str, value: &Value) {
    let mut at = body;
    for part in pointer.split('/').skip(1) {
        let next = match at {
            Value::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            Value::Object(map) => Some(map.entry(part).or_insert_with(|| json!({}))),
            _ => None,
        };
        let Some(next) = next else { return };
        at = next;
    }
    *at = value.clone();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_azure_reported_is_laid_over_what_was_said() {
        let mut body = json!({"properties": {"ipConfigurations": [{"name": "a", "properties": {"subnet": 1}}]}});
        lay(&mut body, "/properties/ipConfigurations/0/properties/privateIPAddress", &json!("10.1.1.4"));
        lay(&mut body, "/properties/ipConfigurations/7/properties/privateIPAddress", &json!("lost"));
        let expected = json!({"properties": {"ipConfigurations": [
            {"name": "a", "properties": {"subnet": 1, "privateIPAddress": "10.1.1.4"}}]}});
        assert_eq!(body, expected);
    }
}
