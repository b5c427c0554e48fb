//! Somebody else with rights on the subscription, who deletes and edits behind our back. Sends requests to the sandbox
//! as a portal would; never meets a fault.

use privaml::kind;
use privaml::model::{Desired, ResourceId};
use privaml::sandbox::{Request, Sandbox, respond};
use rand::Rng;
use serde_json::{Value, json};

/// Sends one request; the status, and the reply's body.
pub(super) fn send(sandbox: &Sandbox, method: &str, path: &str, version: &str, body: &Value) -> (u16, Value) {
    let mut request = Request::new(method, &format!("{path}?api-version={version}"));
    request.headers.insert("authorization".to_owned(), "Bearer stranger".to_owned());
    if !body.is_null() {
        request.headers.insert("content-type".to_owned(), "application/json".to_owned());
        request.body = body.to_string().into_bytes();
    }
    let now = sandbox.clock().now();
    let reply = respond(&mut sandbox.world(), now, &request);
    let body = serde_json::from_slice(&reply.bytes()).unwrap_or_default();
    (reply.status, body)
}

/// Deletes or edits one resource of the environment; what was done, if Azure let it happen.
pub(super) fn meddle(sandbox: &Sandbox, desired: &[Desired], draws: &mut impl Rng) -> Option<&'static str> {
    let one = &desired[draws.random_range(0..desired.len())];
    let version = kind::find(one.address.kind())?.api_version;
    if draws.random_bool(0.5) && may_delete(desired, one, draws) {
        // A workspace that is only softly deleted must be purged by hand: Azure refuses its name until then.
        let version = match one.address.kind() {
            "ml_workspace" => format!("{version}&forceToPurge=true"),
            _ => version.to_owned(),
        };
        let (status, _) = send(sandbox, "DELETE", one.id.as_str(), &version, &Value::Null);
        return (status < 300).then_some("Deleted");
    }
    let (status, mut body) = send(sandbox, "GET", one.id.as_str(), version, &Value::Null);
    if status != 200 || !spoil(&mut body) {
        return None;
    }
    let (status, _) = send(sandbox, "PUT", one.id.as_str(), version, &body);
    (status < 300).then_some("Edited")
}

/// A group takes everything with it: rarely, and not where that deletes a workspace softly.
fn may_delete(desired: &[Desired], one: &Desired, draws: &mut impl Rng) -> bool {
    let holds_workspace = || desired.iter().any(|other| other.address.kind() == kind::ml_workspace::KIND.name);
    one.address.kind() != kind::resource_group::KIND.name || (!holds_workspace() && draws.random_bool(0.1))
}

/// Changes something that matters; false where this kind has nothing of the sort.
fn spoil(body: &mut Value) -> bool {
    let edits = [
        ("/properties/publicNetworkAccess", json!("Enabled")),
        ("/properties/securityRules", json!([])),
        ("/properties/routes", json!([])),
        ("/properties/threatIntelMode", json!("Off")),
        ("/properties/registrationEnabled", json!(true)),
        ("/tags", json!({"edited": "by somebody"})),
    ];
    for (at, value) in edits {
        if let Some(place) = body.pointer_mut(at).filter(|place| **place != value) {
            *place = value;
            return true;
        }
    }
    false
}

/// Puts a resource that is not ours into our group.
pub(super) fn move_in(sandbox: &Sandbox, group: &ResourceId) -> bool {
    let path = format!("{group}/providers/Microsoft.Network/publicIPAddresses/pip-of-somebody");
    let body = json!({
        "location": "westeurope",
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static"}
    });
    send(sandbox, "PUT", &path, "2025-01-01", &body).0 < 300
}
