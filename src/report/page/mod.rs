//! A report as one HTML page: picture, checks, findings, flows, allowlist, inventory. Self-contained, without scripts;
//! every text is escaped. Pure text.

mod parts;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde_json::Value;

use super::escape::escape;
use crate::isolation::{JudgedFlow, Report, State, Topology, Weight};

const STYLE: &str = include_str!("page.css");

/// Everything that a page shows.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// The resource group and its region.
    pub title: &'a str,
    /// What is known of the whole: word and value, in the order in which they are shown.
    pub facts: Vec<(&'static str, String)>,
    /// The picture.
    pub topology: &'a Topology,
    /// The verification.
    pub report: &'a Report,
    /// The table of flows.
    pub flows: &'a [JudgedFlow],
    /// Every body, as ARM returns it, with `apiVersion` where known.
    pub bodies: &'a [Value],
    /// Our names by lower-case id.
    pub addresses: &'a std::collections::BTreeMap<String, String>,
}

/// The page.
#[must_use]
pub fn html(page: &Page<'_>) -> String {
    let title = escape(page.title);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Isolation report: {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    head(&mut text, page);
    let _ = writeln!(
        text,
        "<section><h2>The environment</h2><figure class=\"scroll\">{}</figure></section>",
        super::picture::svg(page.topology, page.title)
    );
    parts::checks(&mut text, page.report);
    parts::findings(&mut text, page.report);
    parts::flows(&mut text, page.flows);
    parts::allowlist(&mut text, page.bodies);
    parts::inventory(&mut text, page.bodies, page.addresses);
    parts::notes(&mut text, page.report);
    text.push_str(
        "<footer>Made by privaml from resource bodies alone: nothing was sent to or measured in the network. The rules of \
         the judgement are in its docs/isolation-model.md.</footer>\n</main>\n</body>\n</html>\n",
    );
    text
}

fn head(text: &mut String, page: &Page<'_>) {
    let report = page.report;
    let (class, verdict) = if report.is_violated() {
        ("fail", "Not isolated")
    } else if report.has_warnings() {
        ("warn", "No invariant is violated; warnings are open")
    } else {
        ("pass", "No invariant is violated; no warning is open")
    };
    let _ = writeln!(
        text,
        "<header><p class=\"kind\">Isolation report</p><h1>{}</h1><p class=\"verdict {class}\">{verdict}</p>",
        escape(page.title)
    );
    let of = |state: State| report.checks.iter().filter(|check| check.state == state).count();
    let open = |weight| report.findings.iter().filter(|f| f.weight == weight && f.accepted.is_none()).count();
    let accepted = report.findings.iter().filter(|finding| finding.accepted.is_some()).count();
    text.push_str("<ul class=\"counts\">");
    for (count, words) in [
        (of(State::Pass), "checks pass"),
        (of(State::Fail), "fail"),
        (of(State::Unknown), "cannot be told"),
        (open(Weight::Warning), "warnings open"),
        (accepted, "findings accepted"),
        (open(Weight::Residual), "residual risks"),
    ] {
        let _ = write!(text, "<li><b>{count}</b> {words}</li>");
    }
    text.push_str("</ul>\n<dl class=\"facts\">");
    for (word, value) in &page.facts {
        // A digest takes the whole line.
        let class = if value.len() > 60 { " class=\"wide\"" } else { "" };
        let _ = write!(text, "<div{class}><dt>{}</dt><dd>{}</dd></div>", escape(word), escape(value));
    }
    text.push_str("</dl></header>\n");
}
