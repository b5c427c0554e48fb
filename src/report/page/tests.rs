//! What a page must have, and what it must never have.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Page, html};
use crate::isolation::{Acceptance, Check, Evidence, Finding, JudgedFlow, Report, State, Topology, Verdict, Weight};

const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

fn report() -> Report {
    let evidence = |says: &str| Evidence { resource: None, property: EVIL.to_owned(), says: says.to_owned() };
    let accepted =
        Acceptance { finding: "EXF001".to_owned(), reason: EVIL.to_owned(), until: Some("2027-01-31".to_owned()) };
    Report {
        checks: vec![Check {
            name: "a-check",
            title: "It holds.",
            state: State::Fail,
            evidence: vec![evidence(EVIL)],
            remedy: "Mend it.",
        }],
        findings: vec![Finding {
            id: "EXF001",
            name: "a-finding",
            title: "It leaks.",
            weight: Weight::Warning,
            evidence: vec![evidence(EVIL); 9],
            proof: "So.",
            remedy: "Close it.",
            accepted: Some(accepted),
            expired: None,
        }],
        notes: vec![],
    }
}

fn page() -> String {
    let flows = [JudgedFlow {
        from: EVIL.to_owned(),
        to: EVIL.to_owned(),
        expected: Verdict::Deny,
        verdict: Verdict::Allow,
        why: EVIL.to_owned(),
        reason: EVIL.to_owned(),
    }];
    let bodies = [
        json!({"id": format!("/subscriptions/s/resourceGroups/g/providers/N/t/{EVIL}"), "apiVersion": EVIL}),
        json!({"id": "/subscriptions/s/resourceGroups/g/providers/N/p/a/r/b", "properties": {"ruleCollections": [
        {"name": EVIL, "action": {"type": "Allow"}, "rules": [
            {"name": EVIL, "description": EVIL, "targetFqdns": [EVIL], "sourceAddresses": [EVIL],
             "protocols": [{"protocolType": EVIL, "port": 443}]},
            {"name": "bare", "destinationAddresses": ["1.2.3.4"], "ipProtocols": ["TCP"], "destinationPorts": ["22"]}
        ]}]}}),
    ];
    html(&Page {
        title: EVIL,
        facts: vec![("Profile", EVIL.to_owned())],
        topology: &Topology::default(),
        report: &report(),
        flows: &flows,
        bodies: &bodies,
        addresses: &BTreeMap::new(),
    })
}

#[test]
fn hostile_texts_stay_texts() {
    let page = page();
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("onerror=alert(1)>"), "{page}");
    assert!(page.matches("&lt;script&gt;").count() > 15);
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let page = page();
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'; img-src data:"));
    for wrong in ["<script", "<link", "<iframe", "@import", "url(http", "src=\"http", "href=\"http"] {
        assert!(!page.contains(wrong), "{wrong}");
    }
}

#[test]
fn verdict_remedy_consent_and_missing_reasons_are_said() {
    let page = page();
    for said in [
        "Not isolated",
        "Mend it.",
        "until 2027-01-31",
        "5 more",
        "allow, not deny",
        "no reason given",
        "not in the state",
    ] {
        assert!(page.contains(said), "{said} is not in the page");
    }
}
