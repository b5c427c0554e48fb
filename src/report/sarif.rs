//! A verification in SARIF 2.1.0, for code scanning and other collectors of findings. Pure; leaves nothing out: what
//! holds is there as `pass`, what somebody accepted as a suppressed result.

use serde_json::{Value, json};

use crate::isolation::{Acceptance, Check, Evidence, Finding, Note, Report, State, Weight};

/// Where the shape of this document is written down.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The whole document.
#[must_use]
pub fn of_report(report: &Report) -> Value {
    let mut rules: Vec<Value> = report.checks.iter().map(rule_of_check).collect();
    rules.extend(report.findings.iter().map(rule_of_finding));
    let checks = report.checks.iter().enumerate().flat_map(|(index, check)| of_check(index, check));
    let first = report.checks.len();
    let findings = report.findings.iter().enumerate().flat_map(|(index, one)| of_finding(first + index, one));
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "privaml", "version": version, "semanticVersion": version, "rules": rules}},
            "automationDetails": {"id": "privaml/verify/"},
            "columnKind": "utf16CodeUnits",
            "invocations": [{"executionSuccessful": true,
                "toolExecutionNotifications": report.notes.iter().map(notification).collect::<Vec<_>>()}],
            "results": checks.chain(findings).collect::<Vec<_>>(),
        }],
    })
}

fn notification(note: &Note) -> Value {
    json!({"level": "note", "message": {"text": note.to_string()},
        "locations": [{"logicalLocations": [logical(note.resource.as_str(), note.resource.name())]}]})
}

fn rule_of_check(check: &Check) -> Value {
    let remedy = if check.remedy.is_empty() { "Nothing to do." } else { check.remedy };
    rule(check.name, check.name, check.title, check.title, remedy, "error")
}

fn rule_of_finding(finding: &Finding) -> Value {
    let full = format!("{} {}", finding.title, finding.proof);
    rule(finding.id, finding.name, finding.title, &full, finding.remedy, level(finding.weight))
}

fn rule(id: &str, name: &str, title: &str, full: &str, remedy: &str, level: &str) -> Value {
    json!({
        "id": id, "name": pascal(name),
        "shortDescription": {"text": title}, "fullDescription": {"text": full},
        "help": {"text": format!("{full} Remedy: {remedy}"), "markdown": format!("{full}\n\n**Remedy:** {remedy}")},
        "helpUri": page(id),
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["security", "network", "azure"]},
    })
}

/// `undotted-wildcard` as SARIF writes names: `UndottedWildcard`.
fn pascal(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    name.split('-').map(capital).collect()
}

const fn level(weight: Weight) -> &'static str {
    match weight {
        Weight::Warning => "warning",
        Weight::Residual => "note",
    }
}

/// One result for each piece of evidence; what holds, or was not asked, is one result without a place.
fn of_check(index: usize, check: &Check) -> Vec<Value> {
    let (kind, level) = match check.state {
        State::Pass => ("pass", "none"),
        State::Skipped => ("notApplicable", "none"),
        // SARIF's word for what may be one or the other.
        State::Unknown => ("open", "none"),
        State::Fail => ("fail", "error"),
    };
    if check.state == State::Pass || check.evidence.is_empty() {
        return vec![result(index, check.name, kind, level, check.title, None)];
    }
    let one = |evidence: &Evidence| result(index, check.name, kind, level, &evidence.says, Some(evidence));
    check.evidence.iter().map(one).collect()
}

fn of_finding(index: usize, finding: &Finding) -> Vec<Value> {
    let one = |evidence: &Evidence| {
        let text = format!("{} {}", finding.title, evidence.says);
        let mut result = result(index, finding.id, "fail", level(finding.weight), &text, Some(evidence));
        if let Some(accepted) = &finding.accepted {
            result["suppressions"] =
                json!([{"kind": "external", "status": "accepted", "justification": justification(accepted)}]);
        }
        if let Some(expired) = &finding.expired {
            result["suppressions"] =
                json!([{"kind": "external", "status": "rejected", "justification": justification(expired)}]);
        }
        result
    };
    finding.evidence.iter().map(one).collect()
}

/// The reason with its last day, which SARIF has no place of its own for.
fn justification(consent: &Acceptance) -> String {
    match &consent.until {
        Some(day) => format!("{} (until {day})", consent.reason),
        None => consent.reason.clone(),
    }
}

fn result(index: usize, rule: &str, kind: &str, level: &str, text: &str, evidence: Option<&Evidence>) -> Value {
    let mut result =
        json!({"ruleId": rule, "ruleIndex": index, "kind": kind, "level": level, "message": {"text": text}});
    let Some(evidence) = evidence else { return result };
    let id = evidence.resource.as_ref().map_or("", |id| id.as_str());
    if let Some(resource) = &evidence.resource {
        result["locations"] = json!([{"logicalLocations": [logical(resource.as_str(), resource.name())]}]);
    }
    if !evidence.property.is_empty() {
        result["properties"] = json!({"property": evidence.property});
    }
    // The same leak in the next run is the same result, whatever its words.
    result["partialFingerprints"] =
        json!({"resourceAndProperty/v1": format!("{rule}|{}|{}", id.to_lowercase(), evidence.property)});
    result
}

fn logical(id: &str, name: &str) -> Value {
    json!({"name": name, "fullyQualifiedName": id, "kind": "resource"})
}

/// Microsoft's page on the matter.
fn page(rule: &str) -> &'static str {
    match rule {
        "no-public-path" | "own-endpoints-only" => {
            "https://learn.microsoft.com/azure/private-link/private-endpoint-overview"
        }
        "private-by-name" => "https://learn.microsoft.com/azure/private-link/private-endpoint-dns",
        "out-through-firewall" => {
            "https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access"
        }
        "no-other-network" => "https://learn.microsoft.com/azure/virtual-network/virtual-network-peering-overview",
        "in-through-bastion" => "https://learn.microsoft.com/azure/bastion/bastion-nsg",
        "security-rules-as-asked" | "EXF006" => {
            "https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview"
        }
        "routes-as-asked" => "https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview",
        "azure-ml-works" => "https://learn.microsoft.com/azure/machine-learning/how-to-access-azureml-behind-firewall",
        "EXF001" | "EXF015" => "https://learn.microsoft.com/azure/virtual-network/service-tags-overview",
        "EXF003" => "https://learn.microsoft.com/azure/dns/dns-security-policy",
        "EXF010" => "https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent",
        "EXF011" => "https://learn.microsoft.com/azure/virtual-machines/trusted-launch",
        "EXF014" => "https://learn.microsoft.com/entra/external-id/tenant-restrictions-v2",
        "EXF018" => "https://learn.microsoft.com/azure/dns/private-dns-fallback",
        rule if rule.starts_with("EXF") => {
            "https://learn.microsoft.com/azure/machine-learning/how-to-prevent-data-loss-exfiltration"
        }
        _ => "https://learn.microsoft.com/azure/firewall/rule-processing",
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::sample;
    use super::*;

    #[test]
    fn the_document_is_as_it_was() {
        let document = of_report(&sample());
        let run = &document["runs"][0];
        let mut shown = json!({"results": run["results"], "rule": run["tool"]["driver"]["rules"][4],
            "notifications": run["invocations"][0]["toolExecutionNotifications"]});
        shown.sort_all_objects();
        insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap());
    }

    #[test]
    fn every_result_points_at_its_rule() {
        let document = of_report(&sample());
        let run = &document["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            // Only a failure has a level (SARIF 2.1.0, 3.27.10).
            assert_eq!(result["kind"] == "fail", result["level"] != "none");
        }
    }
}
