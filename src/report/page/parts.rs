//! The tables of the page. Text only; every text that is not ours goes through `escape`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::super::escape::escape;
use crate::isolation::{Acceptance, Evidence, Finding, JudgedFlow, Report, State, Verdict, Weight};

/// Lines of evidence that are shown without unfolding.
const MOST: usize = 4;

fn table(text: &mut String, class: &str, heads: &[&str], rows: &[String]) {
    let _ = write!(text, "<div class=\"scroll\"><table class=\"{class}\"><thead><tr>");
    for head in heads {
        let _ = write!(text, "<th scope=\"col\">{head}</th>");
    }
    text.push_str("</tr></thead><tbody>\n");
    for row in rows {
        let _ = writeln!(text, "<tr>{row}</tr>");
    }
    text.push_str("</tbody></table></div>\n");
}

fn mark(class: &str, word: &str) -> String {
    format!("<span class=\"mark {class}\">{word}</span>")
}

fn evidence(all: &[Evidence]) -> String {
    let line = |one: &Evidence| {
        let name = one.resource.as_ref().map_or("", |id| id.name());
        let place = [name, &one.property]
            .iter()
            .filter(|part| !part.is_empty() && !one.says.contains(*part))
            .copied()
            .collect::<Vec<_>>()
            .join(" ");
        let place = if place.is_empty() { String::new() } else { format!("<code>{}</code> ", escape(&place)) };
        format!("<li>{place}{}</li>", escape(&one.says))
    };
    if all.is_empty() {
        return String::new();
    }
    let first: String = all.iter().take(MOST).map(line).collect();
    let rest: String = all.iter().skip(MOST).map(line).collect();
    if rest.is_empty() {
        format!("<ul>{first}</ul>")
    } else {
        let count = all.len() - MOST;
        format!("<ul>{first}</ul><details><summary>{count} more</summary><ul>{rest}</ul></details>")
    }
}

pub(super) fn checks(text: &mut String, report: &Report) {
    text.push_str(
        "<section><h2>Checks</h2><p>What an isolated environment promises. One that fails is a way in or out.</p>\n",
    );
    let row = |check: &crate::isolation::Check| {
        let state = match check.state {
            State::Pass => mark("pass", "pass"),
            State::Skipped => mark("quiet", "skipped"),
            State::Unknown => mark("warn", "unknown"),
            State::Fail => mark("fail", "FAIL"),
        };
        let remedy = if check.state == State::Fail {
            format!("<p><b>Remedy.</b> {}</p>", escape(check.remedy))
        } else {
            String::new()
        };
        let proof = if check.state == State::Pass { String::new() } else { evidence(&check.evidence) };
        format!(
            "<td>{state}</td><td><code>{}</code></td><td>{}{proof}{remedy}</td>",
            escape(check.name),
            escape(check.title)
        )
    };
    let rows: Vec<String> = report.checks.iter().map(row).collect();
    table(text, "checks", &["State", "Check", "What it promises"], &rows);
    text.push_str("</section>\n");
}

pub(super) fn findings(text: &mut String, report: &Report) {
    text.push_str(
        "<section><h2>Findings</h2><p>Ways in which data may leave an environment that keeps its promises.</p>\n",
    );
    if report.findings.is_empty() {
        text.push_str("<p>None.</p></section>\n");
        return;
    }
    let mut all: Vec<&Finding> = report.findings.iter().collect();
    all.sort_by_key(|finding| (finding.accepted.is_some(), finding.weight == Weight::Residual));
    let rows: Vec<String> = all.into_iter().map(finding).collect();
    table(text, "findings", &["Weight", "Finding", "What, where, how it would be used"], &rows);
    text.push_str("</section>\n");
}

fn finding(one: &Finding) -> String {
    let weight = match (&one.accepted, one.weight) {
        (Some(_), _) => mark("quiet", "accepted"),
        (None, Weight::Warning) => mark("warn", "warning"),
        (None, Weight::Residual) => mark("quiet", "residual"),
    };
    let consent = |word: &str, accepted: &Acceptance| {
        let until = accepted.until.as_deref().unwrap_or("no end");
        format!("<p class=\"accepted\"><b>{word}</b> until {}: {}</p>", escape(until), escape(&accepted.reason))
    };
    let accepted = one.accepted.as_ref().map_or_else(String::new, |it| consent("Accepted", it));
    let expired = one.expired.as_ref().map_or_else(String::new, |it| consent("No longer accepted:", it));
    let accepted = accepted + &expired;
    format!(
        "<td>{weight}</td><td><b>{}</b><br><code>{}</code></td><td><b>{}</b>{accepted}{}<p>{} <b>Remedy.</b> {}</p></td>",
        escape(one.id),
        escape(one.name),
        escape(one.title),
        evidence(&one.evidence),
        escape(one.proof),
        escape(one.remedy)
    )
}

pub(super) fn flows(text: &mut String, flows: &[JudgedFlow]) {
    if flows.is_empty() {
        return;
    }
    text.push_str("<section><h2>Flows</h2><p>What must be open or closed, and what is.</p>\n");
    let row = |flow: &JudgedFlow| {
        let class = if flow.verdict == flow.expected {
            "pass"
        } else if flow.verdict == Verdict::Unknown {
            "warn"
        } else {
            "fail"
        };
        let words =
            if class == "pass" { flow.verdict.to_string() } else { format!("{}, not {}", flow.verdict, flow.expected) };
        format!(
            "<td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td><td>{}</td>",
            mark(class, &escape(&words)),
            escape(&flow.from),
            escape(&flow.to),
            escape(&flow.why),
            escape(&flow.reason)
        )
    };
    let rows: Vec<String> = flows.iter().map(row).collect();
    table(text, "flows", &["Is", "From", "To", "Why it must", "What decides"], &rows);
    text.push_str("</section>\n");
}

/// Strings of a list, joined.
fn texts(value: &Value, members: &[&str]) -> String {
    let lists = members.iter().filter_map(|member| value.get(member)?.as_array());
    lists.flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn how(rule: &Value) -> String {
    let web = rule.get("protocols").and_then(Value::as_array).into_iter().flatten();
    let web: Vec<String> = web
        .map(|one| {
            let kind = one.get("protocolType").and_then(Value::as_str).unwrap_or_default().to_uppercase();
            let port = one.get("port").map(ToString::to_string).unwrap_or_default();
            format!("{kind} {port}").trim().to_owned()
        })
        .collect();
    if !web.is_empty() {
        return web.join(", ");
    }
    format!("{} {}", texts(rule, &["ipProtocols"]), texts(rule, &["destinationPorts"])).trim().to_owned()
}

pub(super) fn allowlist(text: &mut String, bodies: &[Value]) {
    let mut rows = Vec::new();
    for body in bodies {
        let collections = body.pointer("/properties/ruleCollections").and_then(Value::as_array);
        for collection in collections.into_iter().flatten() {
            let name = collection.get("name").and_then(Value::as_str).unwrap_or_default();
            let act = collection.pointer("/action/type").and_then(Value::as_str).unwrap_or_default();
            let rules = collection.get("rules").and_then(Value::as_array);
            rows.extend(rules.into_iter().flatten().map(|rule| opening(name, act, rule)));
        }
    }
    if rows.is_empty() {
        return;
    }
    text.push_str("<section><h2>Allowlist of the firewall</h2><p>What it lets through, each with its reason. What matches nothing is refused.</p>\n");
    table(text, "allow", &["To", "Over", "From", "Reason", "Rule"], &rows);
    text.push_str("</section>\n");
}

fn opening(collection: &str, act: &str, rule: &Value) -> String {
    let member = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
    let to = texts(
        rule,
        &[
            "targetFqdns",
            "fqdnTags",
            "targetUrls",
            "webCategories",
            "destinationAddresses",
            "destinationFqdns",
            "destinationIpGroups",
        ],
    );
    let reason = match member("description") {
        "" => mark("warn", "no reason given"),
        reason => escape(reason),
    };
    let is_allow = act.eq_ignore_ascii_case("allow");
    let act = if is_allow { String::new() } else { format!("{} ", mark("quiet", &escape(&act.to_lowercase()))) };
    format!(
        "<td>{act}<code>{}</code></td><td>{}</td><td>{}</td><td>{reason}</td><td>{} / {}</td>",
        escape(&to),
        escape(&how(rule)),
        escape(&texts(rule, &["sourceAddresses", "sourceIpGroups"])),
        escape(collection),
        escape(member("name"))
    )
}

pub(super) fn inventory(text: &mut String, bodies: &[Value], addresses: &BTreeMap<String, String>) {
    let _ = writeln!(text, "<section><h2>Inventory</h2><p>{} resources.</p>", bodies.len());
    let row = |body: &Value| {
        let member = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let id = crate::model::ResourceId::new(member("id"));
        let address =
            addresses.get(&id.key()).map_or_else(|| mark("quiet", "not in the state"), |address| escape(address));
        format!(
            "<td>{address}</td><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td>",
            escape(id.name()),
            escape(&id.arm_type()),
            escape(member("apiVersion")),
            escape(id.as_str())
        )
    };
    let rows: Vec<String> = bodies.iter().map(row).collect();
    table(text, "inventory", &["Address", "Name", "Type", "Version", "Id"], &rows);
    text.push_str("</section>\n");
}

pub(super) fn notes(text: &mut String, report: &Report) {
    if report.notes.is_empty() {
        return;
    }
    text.push_str(
        "<section><h2>Not evaluated</h2><p>What the model does not know it does not guess.</p><ul class=\"notes\">\n",
    );
    for note in &report.notes {
        let _ = writeln!(
            text,
            "<li>{} <code>{} {}</code></li>",
            escape(&note.what),
            escape(note.resource.name()),
            escape(&note.property)
        );
    }
    text.push_str("</ul></section>\n");
}
