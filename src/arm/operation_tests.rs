//! Replies recorded from Azure (azure-facts 11) through the reader of operations.

use serde_json::{Value, json};

use super::super::error::Class;
use super::super::reply::tests::reply;
use super::*;

const PATH: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/p?api-version=1";
const LATE: Duration = Duration::from_secs(300);

fn start(verb: Begun, status: u16, headers: &[(&str, &str)], body: Value) -> Option<(Flavour, String)> {
    begun(verb, PATH, &reply(status, headers, body), None).map(|o| (o.flavour, o.url))
}

#[test]
fn a_network_put_is_polled_where_azure_says_byte_for_byte() {
    let signed = "https://westeurope.management.azure.com/subscriptions/s/o/1?api-version=1&t=63%2b&c=MII&s=a%2Fb&h=_";
    let updating = json!({"properties": {"provisioningState": "Updating"}});
    assert_eq!(
        start(Begun::Write, 201, &[("azure-asyncoperation", signed), ("retry-after", "1")], updating),
        Some((Flavour::AsyncOperation, "/subscriptions/s/o/1?api-version=1&t=63%2b&c=MII&s=a%2Fb&h=_".into()))
    );
}

#[test]
fn flavours_follow_the_reply() {
    let pending = || json!({"properties": {"provisioningState": "RegisteringDns"}});
    let settled = || json!({"properties": {"provisioningState": "Succeeded"}});
    let own = (
        "azure-asyncoperation",
        "https://x/SUBSCRIPTIONS/s/resourcegroups/g/providers/Microsoft.Network/publicIPAddresses/p?api-version=2",
    );
    let there = ("location", "https://management.azure.com/op?monitor=true");
    let at_op = |flavour| Some((flavour, "/op?monitor=true".to_owned()));
    let at_home = |flavour| Some((flavour, PATH.to_owned()));
    let cases = [
        ("storage create", start(Begun::Write, 202, &[there], Value::Null), at_op(Flavour::Location)),
        ("vault without a header", start(Begun::Write, 200, &[], pending()), at_home(Flavour::Provisioning)),
        ("own path", start(Begun::Write, 201, &[own], pending()), at_home(Flavour::Provisioning)),
        ("a link to the created", start(Begun::Write, 201, &[there], settled()), None),
        ("201 and work elsewhere", start(Begun::Write, 201, &[there], pending()), at_op(Flavour::Location)),
        ("200 with a stray link", start(Begun::Write, 200, &[there], settled()), None),
        ("synchronous", start(Begun::Write, 200, &[], json!({"id": "x"})), None),
        ("202 without a header", start(Begun::Write, 202, &[], Value::Null), at_home(Flavour::Provisioning)),
        ("group delete", start(Begun::Delete, 202, &[there], Value::Null), at_op(Flavour::Location)),
        ("delete without a header", start(Begun::Delete, 202, &[], Value::Null), at_home(Flavour::Gone)),
        ("storage delete", start(Begun::Delete, 200, &[], Value::Null), None),
        ("absent already", start(Begun::Delete, 204, &[there], Value::Null), None),
    ];
    for (name, got, wanted) in cases {
        assert_eq!(got, wanted, "{name}");
    }
}

#[test]
fn the_status_document_decides_and_both_spellings_of_cancel_count() {
    let poll = |body: Value| read(Flavour::AsyncOperation, &reply(200, &[], body), LATE);
    assert_eq!(poll(json!({"status": "InProgress"})), Poll::Again { status: "InProgress".into() });
    assert_eq!(poll(json!({"status": "Succeeded"})), Poll::Done);
    for word in ["Canceled", "Cancelled", "failed"] {
        assert!(matches!(poll(json!({"status": word})), Poll::Failed(_)), "{word}");
    }
    let body = json!({"status": "Failed", "error": {"code": "GatewayAllocationFailed",
        "message": "Compute allocation failed. Please retry later.", "details": []}});
    let Poll::Failed(error) = poll(body) else { panic!("failed means failed") };
    assert_eq!((error.code.as_str(), error.class), ("GatewayAllocationFailed", Class::Capacity));
}

#[test]
fn a_refused_status_document_is_no_failed_operation() {
    for status in [403, 404, 400, 500] {
        let poll = read(Flavour::AsyncOperation, &reply(status, &[], Value::Null), LATE);
        assert!(matches!(poll, Poll::Lost(_)), "{status}");
    }
}

#[test]
fn a_404_right_after_the_start_means_not_yet() {
    for flavour in [Flavour::AsyncOperation, Flavour::Location, Flavour::Provisioning] {
        let poll = |age| read(flavour, &reply(404, &[], Value::Null), age);
        assert!(matches!(poll(Duration::from_secs(2)), Poll::Again { .. }), "{flavour:?}");
        assert!(!matches!(poll(LATE), Poll::Again { .. }), "{flavour:?}");
    }
}

#[test]
fn location_answers() {
    let poll = |status, body: Value| read(Flavour::Location, &reply(status, &[], body), LATE);
    assert!(matches!(poll(202, Value::Null), Poll::Again { .. }));
    let creating =
        json!({"type": "Microsoft.Storage/storageAccounts", "properties": {"provisioningState": "Creating"}});
    assert_eq!(poll(200, creating), Poll::Again { status: "Creating".into() });
    assert_eq!(poll(200, json!({"type": "t", "properties": {"provisioningState": "Succeeded"}})), Poll::Done);
    assert_eq!(poll(204, Value::Null), Poll::Done);
    assert!(matches!(poll(200, json!({"status": "InProgress"})), Poll::Again { .. }));
    assert!(matches!(poll(403, Value::Null), Poll::Lost(_)));
    let Poll::Failed(error) = poll(409, json!({"error": {"code": "QuotaExceeded", "message": "m"}})) else {
        panic!("the operation's own refusal")
    };
    assert_eq!(error.class, Class::Quota);
}

#[test]
fn a_resource_without_a_state_is_ready_and_a_deleted_one_is_gone() {
    assert_eq!(read(Flavour::Provisioning, &reply(200, &[], json!({"properties": {}})), LATE), Poll::Done);
    let body = json!({"properties": {"provisioningState": "Failed"}});
    let Poll::Failed(error) = read(Flavour::Provisioning, &reply(200, &[], body.clone()), LATE) else {
        panic!("failed means failed")
    };
    assert_eq!(error.code, "OperationFailed");
    assert!(matches!(read(Flavour::Gone, &reply(200, &[], body), LATE), Poll::Again { .. }));
    assert_eq!(read(Flavour::Gone, &reply(404, &[], Value::Null), LATE), Poll::Done);
}

#[test]
fn only_path_and_query_survive() {
    let cases = [
        ("https://evil.example/a/b?x=1", Some("/a/b?x=1")),
        ("/a?b=https://c/d", Some("/a?b=https://c/d")),
        ("https://host", None),
        ("a/b", None),
        ("https://h/a#f", Some("/a")),
    ];
    for (url, wanted) in cases {
        assert_eq!(path_and_query(url).as_deref(), wanted, "{url}");
    }
}
