//! What Azure, the network or the sign-in refused, with everything support would ask for. Decides nothing.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::catalogue::{self, Known};
use super::reply::{Reply, member};
use crate::model::Cause;

/// What an error means for what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// 429: too many requests.
    Throttled,
    /// Somebody else is writing to the same resource or its parent: wait for it.
    Busy,
    /// Something just made (an identity, a role) is not known everywhere yet.
    Replicating,
    /// 404 for something that must be there: ARM's caches follow in seconds.
    Unseen,
    /// A delete was refused because something still uses the resource.
    InUse,
    /// 5xx other than 504, 408: the same request may work later.
    Unavailable,
    /// 504, a lost connection after the request left: nobody knows whether it was carried out.
    Unknown,
    /// Nothing was sent: no connection.
    Unreachable,
    /// No token, or a token that Azure does not take.
    SignIn,
    /// 403: a role or an action is missing.
    Denied,
    /// An Azure Policy says no.
    Policy,
    /// The subscription's limit.
    Quota,
    /// Azure has no room for it just now, here.
    Capacity,
    /// The provider is not registered in the subscription.
    Unregistered,
    /// It is in the way, or in another state than the request assumes.
    Conflict,
    /// It is not there.
    Missing,
    /// The request itself is wrong.
    Invalid,
    /// An operation that Azure had accepted ended badly.
    Failed,
    /// A reply that ARM's contract does not allow.
    Protocol,
}

/// An error of the door, complete.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", self.text())]
pub struct ArmError {
    /// What it means.
    pub class: Class,
    /// HTTP status, if there was a reply.
    pub status: Option<u16>,
    /// Azure's innermost code; empty when there was no answer from Azure.
    pub code: String,
    /// The message that belongs to the code.
    pub message: String,
    /// The rest.
    pub trail: Box<Trail>,
}

/// What support and a curious reader ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trail {
    /// The property or resource that Azure points at.
    pub target: Option<String>,
    /// Every code and message, outermost first, the headline included.
    pub details: Vec<Detail>,
    /// One for the whole run.
    pub correlation_id: Option<String>,
    /// One for this request.
    pub request_id: Option<String>,
    /// Names of the policies that refused it.
    pub policies: Vec<String>,
    /// The pause the server asks for, on the wall's clock.
    pub retry_after: Option<Duration>,
    /// Method and path, for the reader.
    pub request: String,
}

/// One link of the chain of codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Azure's code.
    pub code: String,
    /// Azure's message.
    pub message: String,
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.is_empty(), self.message.is_empty()) {
            (false, false) => write!(f, "{}: {}", self.code, self.message),
            (false, true) => f.write_str(&self.code),
            _ => f.write_str(&self.message),
        }
    }
}

impl ArmError {
    /// An error without a reply.
    #[must_use]
    pub fn local(class: Class, message: impl Into<String>) -> Self {
        Self { class, status: None, code: String::new(), message: message.into(), trail: Box::default() }
    }

    /// Reads a refusal, whatever its envelope.
    #[must_use]
    pub fn refusal(reply: &Reply) -> Self {
        let error = Self::read(&reply.body, Some(reply.status));
        error.with_ids(reply)
    }

    /// Reads the error of an operation that ended badly: a status document, or the resource itself.
    #[must_use]
    pub(super) fn ended(reply: &Reply, state: &str) -> Self {
        let body = &reply.body;
        let mut error = match failure_of(body) {
            Some(inner) => Self::read(inner, None),
            None => Self::local(Class::Failed, format!("the operation ended as {state}")),
        };
        if error.code.is_empty() {
            error.code =
                if state.eq_ignore_ascii_case("failed") { "OperationFailed" } else { "OperationCanceled" }.into();
        }
        if error.message.is_empty() {
            error.message = format!("the operation ended as {state}");
        }
        if matches!(error.class, Class::Invalid | Class::Missing | Class::Conflict) {
            error.class = Class::Failed;
        }
        error.with_ids(reply)
    }

    fn read(body: &Value, status: Option<u16>) -> Self {
        let mut trail = Trail::default();
        descend(body, &mut trail, 0);
        let headline = trail.details.iter().rev().find(|d| !d.code.is_empty()).or(trail.details.last());
        let Detail { code, message } = headline.cloned().unwrap_or_default();
        // The innermost code often repeats the outer message's subject without its text.
        let message = match (message.is_empty(), trail.details.iter().find(|d| !d.message.is_empty())) {
            (true, Some(outer)) => outer.message.clone(),
            (true, None) => status.map_or_else(String::new, |s| format!("Azure answered {s} without an explanation")),
            (false, _) => message,
        };
        let class = classify(&trail.details, status);
        Self { class, status, code, message, trail: Box::new(trail) }
    }

    fn with_ids(mut self, reply: &Reply) -> Self {
        let header = |name: &str| reply.header(name).map(ToOwned::to_owned);
        self.trail.correlation_id = header("x-ms-correlation-request-id");
        self.trail.request_id = header("x-ms-request-id");
        self.trail.retry_after = reply.retry_after();
        self
    }

    /// The same, saying which request it was.
    #[must_use]
    pub(super) fn of_request(mut self, request: &str) -> Self {
        if self.trail.request.is_empty() {
            request.clone_into(&mut self.trail.request);
        }
        self
    }

    /// Whether any link of the chain has this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.trail.details.iter().any(|d| d.code.eq_ignore_ascii_case(code)) || self.code.eq_ignore_ascii_case(code)
    }

    /// What the catalogue knows of it: of the innermost code that it knows.
    #[must_use]
    pub fn known(&self) -> Option<&'static Known> {
        catalogue::find(&self.code, &self.message)
            .or_else(|| self.trail.details.iter().rev().find_map(|d| catalogue::find(&d.code, &d.message)))
    }

    fn text(&self) -> String {
        let text = match self.known() {
            Some(known) => format!("{}: {}", known.meaning, self.message),
            None => self.message.clone(),
        };
        match self.trail.policies.as_slice() {
            [] => text,
            names => format!("{text} (policy: {})", names.join(", ")),
        }
    }
}

impl From<ArmError> for Cause {
    fn from(error: ArmError) -> Self {
        let message = error.text();
        let headline = Detail { code: error.code.clone(), message: error.message.clone() };
        let causes = error.trail.details.iter().filter(|d| **d != headline).map(ToString::to_string).collect();
        Self {
            message,
            remedy: error.known().map(Known::advice),
            code: error.code,
            status: error.status,
            correlation_id: error.trail.correlation_id,
            causes,
        }
    }
}

/// Where a failed operation keeps its error.
fn failure_of(body: &Value) -> Option<&Value> {
    let places = ["/error", "/properties/error", "/properties/provisioningError", "/properties/statusMessage"];
    places.iter().find_map(|place| body.pointer(place).filter(|v| !v.is_null()))
}

/// How deep envelopes are followed; real ones have three levels.
const DEPTH: u8 = 8;

/// Collects codes and messages outermost first. Azure's envelopes: `{"error":{…}}`, flat `{"code","message"}`
/// (Insights), `{"Message"}` (old Insights), `innererror` (Azure ML), JSON as text inside `message` (deployments),
/// HTML from proxies.
fn descend(value: &Value, trail: &mut Trail, depth: u8) {
    if depth > DEPTH {
        return;
    }
    if let Value::String(text) = value {
        trail.details.push(Detail { code: String::new(), message: plain(text) });
        return;
    }
    if let Some(inner) = member(value, "error").filter(|v| v.is_object()) {
        descend(inner, trail, depth + 1);
        return;
    }
    let text = |name| member(value, name).and_then(Value::as_str).unwrap_or_default();
    let message = text("message");
    let wrapped = serde_json::from_str::<Value>(message.trim()).ok().filter(Value::is_object);
    let own = if wrapped.is_some() { String::new() } else { plain(message) };
    if !(own.is_empty() && text("code").is_empty()) {
        trail.details.push(Detail { code: text("code").to_owned(), message: own });
    }
    if trail.target.is_none() {
        trail.target = Some(text("target").to_owned()).filter(|t| !t.is_empty());
    }
    policies(value, trail);
    if let Some(wrapped) = wrapped {
        descend(&wrapped, trail, depth + 1);
    }
    for name in ["innererror", "details"] {
        match member(value, name) {
            Some(Value::Array(items)) => items.iter().for_each(|item| descend(item, trail, depth + 1)),
            Some(inner @ Value::Object(_)) => descend(inner, trail, depth + 1),
            _ => {}
        }
    }
}

fn policies(value: &Value, trail: &mut Trail) {
    let Some(items) = member(value, "additionalInfo").and_then(Value::as_array) else { return };
    for info in items.iter().filter_map(|item| member(item, "info")) {
        let name = ["policyAssignmentDisplayName", "policyDefinitionDisplayName", "policyAssignmentName"]
            .iter()
            .find_map(|name| member(info, name)?.as_str().filter(|text| !text.is_empty()));
        trail.policies.extend(name.map(ToOwned::to_owned));
    }
}

/// One readable line; of a proxy's HTML only its text, cut.
fn plain(text: &str) -> String {
    let mut inside = false;
    let stripped: String = if text.trim_start().starts_with('<') {
        text.chars()
            .filter(|&c| {
                inside = (inside || c == '<') && c != '>';
                !inside && c != '>'
            })
            .take(300)
            .collect()
    } else {
        text.to_owned()
    };
    stripped.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn classify(details: &[Detail], status: Option<u16>) -> Class {
    let known = details.iter().rev().find_map(|d| catalogue::find(&d.code, &d.message)?.class);
    match (known, status) {
        // Compute says `OperationNotAllowed` for a quota (409) and for too many requests (429).
        (Some(Class::Quota), Some(429)) => return Class::Throttled,
        (Some(class), _) => return class,
        (None, _) => {}
    }
    match status {
        None => Class::Failed,
        Some(401) => Class::SignIn,
        Some(403) => Class::Denied,
        Some(404 | 410) => Class::Missing,
        Some(409 | 412) => Class::Conflict,
        Some(429) => Class::Throttled,
        Some(504) => Class::Unknown,
        Some(408 | 500..) => Class::Unavailable,
        Some(400..=499) => Class::Invalid,
        Some(_) => Class::Protocol,
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
