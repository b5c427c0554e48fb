//! A verification as `JUnit` XML, for the test tabs of pipelines: one suite of invariants, one of findings. Fails exactly
//! what makes the command fail, so that the tab and the exit code agree. Pure text.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::isolation::{Acceptance, Check, Evidence, Finding, Report, State, Weight};

/// How a case ended.
enum End {
    Pass,
    Skipped(String),
    Failed(String),
}

/// One line of a test tab.
struct Case {
    suite: &'static str,
    name: String,
    end: End,
    /// The evidence, one a line.
    proof: String,
    properties: Vec<(&'static str, String)>,
}

/// The whole document; `strict`: what `--strict` fails on is a failure.
#[must_use]
pub fn of_report(report: &Report, strict: bool) -> String {
    let invariants: Vec<Case> = report.checks.iter().map(|check| of_check(check, strict)).collect();
    let findings: Vec<Case> = report.findings.iter().map(|finding| of_finding(finding, strict)).collect();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory cannot fail.
    let _ = document(&mut writer, &[("invariants", invariants), ("findings", findings)]);
    String::from_utf8_lossy(&writer.into_inner()).into_owned()
}

fn of_check(check: &Check, strict: bool) -> Case {
    let said = |what: &str| format!("{what}: {}", first(&check.evidence, check.title));
    let end = match check.state {
        State::Pass => End::Pass,
        State::Skipped => End::Skipped(said("not asked")),
        State::Unknown if strict => End::Failed(said("it cannot be told")),
        State::Unknown => End::Skipped(said("it cannot be told")),
        State::Fail => End::Failed(format!("{} Remedy: {}", said("violated"), check.remedy)),
    };
    let proof = if check.state == State::Pass { String::new() } else { lines(&check.evidence) };
    let properties = vec![("title", check.title.to_owned())];
    Case { suite: "privaml.invariants", name: check.name.to_owned(), end, proof, properties }
}

fn of_finding(finding: &Finding, strict: bool) -> Case {
    let open = format!("{} Remedy: {}", finding.title, finding.remedy);
    let end = match (&finding.accepted, finding.weight) {
        (Some(accepted), _) => End::Skipped(format!("accepted{}: {}", until(accepted), accepted.reason)),
        (None, Weight::Warning) if strict => End::Failed(open),
        (None, Weight::Warning) => End::Skipped(format!("warning: {open}")),
        (None, Weight::Residual) => End::Skipped(format!("residual: {open}")),
    };
    let mut properties = vec![("title", finding.title.to_owned()), ("proof", finding.proof.to_owned())];
    for (name, day, consent) in
        [("accepted", "accepted.until", &finding.accepted), ("expired", "expired.on", &finding.expired)]
    {
        let Some(consent) = consent else { continue };
        properties.push((name, consent.reason.clone()));
        properties.extend(consent.until.clone().map(|until| (day, until)));
    }
    let name = format!("{} {}", finding.id, finding.name);
    Case { suite: "privaml.findings", name, end, proof: lines(&finding.evidence), properties }
}

fn until(consent: &Acceptance) -> String {
    consent.until.as_ref().map_or_else(String::new, |day| format!(" until {day}"))
}

fn first<'e>(evidence: &'e [Evidence], otherwise: &'e str) -> &'e str {
    evidence.first().map_or(otherwise, |one| &one.says)
}

fn lines(evidence: &[Evidence]) -> String {
    let line = |one: &Evidence| {
        let id = one.resource.as_ref().map_or("", |id| id.as_str());
        let place = [id, &one.property].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ");
        if place.is_empty() { one.says.clone() } else { format!("{place}: {}", one.says) }
    };
    evidence.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn document(writer: &mut Writer<Vec<u8>>, suites: &[(&str, Vec<Case>)]) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let cases = || suites.iter().flat_map(|(_, cases)| cases);
    within(writer, &counted("testsuites", "privaml verify", cases()), |writer| {
        for (name, cases) in suites {
            within(writer, &counted("testsuite", name, cases.iter()), |writer| {
                cases.iter().try_for_each(|case| one(writer, case))
            })?;
        }
        Ok(())
    })
}

/// An element with its name and counts.
fn counted<'c>(element: &'static str, name: &str, cases: impl Iterator<Item = &'c Case>) -> BytesStart<'static> {
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for case in cases {
        tests += 1;
        match case.end {
            End::Failed(_) => failures += 1,
            End::Skipped(_) => skipped += 1,
            End::Pass => {}
        }
    }
    let mut start = BytesStart::new(element);
    start.push_attribute(("name", name));
    for (count, number) in [("tests", tests), ("failures", failures), ("errors", 0), ("skipped", skipped)] {
        start.push_attribute((count, number.to_string().as_str()));
    }
    start
}

fn one(writer: &mut Writer<Vec<u8>>, case: &Case) -> io::Result<()> {
    let mut start = BytesStart::new("testcase");
    start.push_attribute(("classname", case.suite));
    start.push_attribute(("name", legal(&case.name).as_str()));
    within(writer, &start, |writer| {
        within(writer, &BytesStart::new("properties"), |writer| {
            case.properties.iter().try_for_each(|(name, value)| {
                let mut property = BytesStart::new("property");
                property.push_attribute(("name", *name));
                property.push_attribute(("value", legal(value).as_str()));
                writer.write_event(Event::Empty(property))
            })
        })?;
        let (element, message, kind) = match &case.end {
            End::Pass => return Ok(()),
            End::Skipped(message) => ("skipped", message, None),
            End::Failed(message) => ("failure", message, Some("violation")),
        };
        let mut start = BytesStart::new(element);
        start.push_attribute(("message", legal(message).as_str()));
        if let Some(kind) = kind {
            start.push_attribute(("type", kind));
        }
        let proof = legal(&case.proof);
        writer.write_event(Event::Start(start))?;
        writer.write_event(Event::Text(BytesText::new(&proof)))?;
        writer.write_event(Event::End(BytesEnd::new(element)))
    })
}

fn within(
    writer: &mut Writer<Vec<u8>>,
    start: &BytesStart<'static>,
    inside: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>,
) -> io::Result<()> {
    let end = start.to_end().into_owned();
    writer.write_event(Event::Start(start.borrow()))?;
    inside(writer)?;
    writer.write_event(Event::End(end))
}

/// The text without characters that XML 1.0 cannot hold, not even escaped. Names in Azure may hold them.
fn legal(text: &str) -> String {
    let keep = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if keep(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::Reader;

    use super::super::verdict::tests::sample;
    use super::*;

    #[test]
    fn the_document_is_as_it_was() {
        insta::assert_snapshot!(of_report(&sample(), false));
    }

    #[test]
    fn strictness_makes_warnings_fail() {
        assert!(of_report(&sample(), false).contains("tests=\"8\" failures=\"1\""));
        assert!(of_report(&sample(), true).contains("tests=\"8\" failures=\"4\""));
    }

    /// Reads the document to its end and gives back every message.
    fn messages(document: &str) -> Vec<String> {
        let mut reader = Reader::from_str(document);
        let mut found = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => return found,
                Event::Start(start) => {
                    let message = start.try_get_attribute("message").unwrap();
                    found.extend(
                        message.map(|m| m.normalized_value(quick_xml::XmlVersion::Explicit1_0).unwrap().into_owned()),
                    );
                }
                _ => {}
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_makes_a_document_that_is_read_back(says in r#"(\PC|[<>&"'\n\x01\x1b]){0,40}"#) {
            let mut report = sample();
            report.checks[1].evidence[0].says.clone_from(&says);
            let read = messages(&of_report(&report, false));
            let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert!(read.iter().any(|message| flat(message).contains(&flat(&legal(&says)))), "{read:?}");
        }
    }
}
