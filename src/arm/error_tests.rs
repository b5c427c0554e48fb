//! Azure's envelopes, as met in the wild (azure-facts 5.4 and 11.4), through the reader of errors.

use serde_json::json;

use super::super::reply::tests::reply;
use super::*;

fn refused(status: u16, body: Value) -> ArmError {
    ArmError::refusal(&reply(status, &[], body))
}

#[test]
fn every_envelope_gives_its_innermost_code() {
    let cases = [
        (409, json!({"error": {"code": "ScopeLocked", "message": "m"}}), "ScopeLocked", Class::Denied),
        (
            400,
            json!({"code": "BadRequest", "message": "Diagnostic settings does not support retention."}),
            "BadRequest",
            Class::Invalid,
        ),
        (400, json!({"Code": "BadRequest", "Message": "m"}), "BadRequest", Class::Invalid),
        (
            429,
            json!({"error": {"code": "RetryableError", "message": "m", "details": [
                {"code": "ReferencedResourceNotProvisioned", "message": "Cannot proceed."}]}}),
            "ReferencedResourceNotProvisioned",
            Class::Busy,
        ),
        (
            400,
            json!({"error": {"code": "UserError", "message": "m", "details": [
                {"code": "BadArgument", "innerError": {"code": "WorkspaceNameTaken"}}]}}),
            "WorkspaceNameTaken",
            Class::Invalid,
        ),
        (
            409,
            json!({"error": {"code": "DeploymentFailed", "message":
                "{\r\n  \"error\": {\"code\": \"SkuNotAvailable\", \"message\": \"not here\"}}"}}),
            "SkuNotAvailable",
            Class::Quota,
        ),
    ];
    for (status, body, code, class) in cases {
        let error = refused(status, body);
        assert_eq!((error.code.as_str(), error.class), (code, class));
    }
}

#[test]
fn a_code_without_text_borrows_the_outer_text() {
    let body = json!({"error": {"code": "A", "message": "why", "innererror": {"code": "B"}}});
    let error = refused(400, body);
    assert_eq!((error.code.as_str(), error.message.as_str()), ("B", "why"));
}

#[test]
fn a_proxys_page_becomes_a_line() {
    let error = refused(502, Value::from("<html><head><title>Bad\n gateway</title></head><body>nginx</body></html>"));
    assert_eq!((error.class, error.code.as_str()), (Class::Unavailable, ""));
    assert!(error.message.contains("Bad gateway") && !error.message.contains('<'), "{}", error.message);
    assert_eq!(refused(500, Value::Null).message, "Azure answered 500 without an explanation");
}

#[test]
fn statuses_without_a_known_code_have_a_class() {
    for (status, class) in [
        (400, Class::Invalid),
        (401, Class::SignIn),
        (403, Class::Denied),
        (404, Class::Missing),
        (408, Class::Unavailable),
        (409, Class::Conflict),
        (412, Class::Conflict),
        (429, Class::Throttled),
        (503, Class::Unavailable),
        (504, Class::Unknown),
        (307, Class::Protocol),
    ] {
        assert_eq!(refused(status, Value::Null).class, class, "{status}");
    }
}

#[test]
fn the_same_code_with_429_is_no_quota() {
    let body = || json!({"error": {"code": "OperationNotAllowed", "message": "m"}});
    assert_eq!(refused(409, body()).class, Class::Quota);
    assert_eq!(refused(429, body()).class, Class::Throttled);
}

#[test]
fn policies_are_named_and_a_cause_keeps_everything() {
    let body = json!({"error": {"code": "RequestDisallowedByPolicy", "target": "vnet", "message": "Denied.",
        "additionalInfo": [{"type": "PolicyViolation", "info": {"policyAssignmentDisplayName": "No public addresses"}}],
        "details": []}});
    let headers = [("x-ms-correlation-request-id", "c"), ("x-ms-request-id", "r"), ("retry-after", "7")];
    let error = ArmError::refusal(&reply(403, &headers, body)).of_request("PUT /x");
    assert_eq!(error.class, Class::Policy);
    assert_eq!(error.trail.target.as_deref(), Some("vnet"));
    assert_eq!(error.trail.retry_after, Some(Duration::from_secs(7)));
    let cause = Cause::from(error);
    assert_eq!((cause.code.as_str(), cause.status), ("RequestDisallowedByPolicy", Some(403)));
    assert_eq!(cause.correlation_id.as_deref(), Some("c"));
    assert!(cause.message.contains("No public addresses"), "{}", cause.message);
    assert!(cause.remedy.unwrap().contains("exemption"));
}

#[test]
fn outer_links_of_the_chain_become_causes() {
    let body =
        json!({"error": {"code": "Outer", "message": "first", "details": [{"code": "Inner", "message": "last"}]}});
    assert_eq!(Cause::from(refused(400, body)).causes, ["Outer: first"]);
}

#[test]
fn an_endless_envelope_ends() {
    let mut body = json!({"code": "A"});
    for _ in 0..50 {
        body = json!({"code": "A", "details": [body]});
    }
    assert!(refused(400, body).trail.details.len() < 20);
}
