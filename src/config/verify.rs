//! `[verify]`: flows that the user wants closed, and findings that somebody agreed to. Judges words only: whether a flow
//! is closed, and whether a consent has run out, is for `isolation` to say.

use serde::{Deserialize, Serialize};
use time::Date;
use time::macros::format_description;

use super::host;
use super::problem::{At, Problem, quoted};
use super::raw::{RawAccept, RawDeny};
use crate::isolation::{Flow, finding_names};

/// What the user adds to the verification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verify {
    /// Flows that must be closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Deny>,
    /// Findings that somebody agreed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Accept>,
}

impl Verify {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A flow that must be closed, as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deny {
    /// Where it starts, as `privaml explain` takes it.
    pub from: String,
    /// Where it leads.
    pub to: String,
    /// The port, where `to` does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The protocol, where `to` does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// For the reviewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Somebody's consent to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    /// `EXF001`, …
    pub finding: String,
    /// For the reviewer.
    pub reason: String,
    /// `2027-06-30`: the last day on which it counts.
    pub until: String,
}

/// Judges both lists; `None`: some entry is unusable.
pub(super) fn check(deny: &[RawDeny], accept: &[RawAccept], problems: &mut Vec<Problem>) -> Option<Verify> {
    let denied: Vec<Option<Deny>> = deny.iter().map(|entry| one_denied(entry, problems)).collect();
    let accepted: Vec<Option<Accept>> = accept.iter().map(|entry| one_accepted(entry, problems)).collect();
    let twice = refuse_twice(accept, &accepted, problems);
    let deny: Option<Vec<Deny>> = denied.into_iter().collect();
    let accept: Option<Vec<Accept>> = accepted.into_iter().collect();
    Some(Verify { deny: deny?, accept: accept.filter(|_| !twice)? })
}

fn one_denied(entry: &RawDeny, problems: &mut Vec<Problem>) -> Option<Deny> {
    let port = match &entry.port {
        None => Some(None),
        Some(given) => port(given, problems).map(Some),
    };
    let (from, to, port) = (entry.from.as_ref()?, entry.to.as_ref()?, port?);
    let protocol = entry.protocol.as_ref().map(|word| word.value.as_str());
    if let Err(error) = Flow::new(&from.value, &to.value, port, protocol) {
        let place = entry.protocol.as_ref().filter(|_| error.is_of_protocol()).unwrap_or(to);
        let message = format!("{} to {} is no flow: {error}", quoted(&from.value), quoted(&to.value));
        let help = "Write it as `privaml explain` takes it, such as `from = \"shared\"` and \
                    `to = \"https://pastebin.com\"` or `to = \"203.0.113.7:22\"`.";
        problems.push(Problem::at(place.span, message).label("not a flow").help(help));
        return None;
    }
    let why = entry.why.as_ref().map(|why| why.value.trim().to_owned()).filter(|why| !why.is_empty());
    Some(Deny {
        from: from.value.clone(),
        to: to.value.clone(),
        port,
        protocol: entry.protocol.as_ref().map(|word| word.value.clone()),
        why,
    })
}

fn port(given: &At<i64>, problems: &mut Vec<Problem>) -> Option<u16> {
    let port = u16::try_from(given.value).ok().filter(|port| *port > 0);
    if port.is_none() {
        let problem = Problem::at(given.span, format!("{} is no port", given.value));
        problems.push(problem.label("out of range").help("A port is a number from 1 to 65535."));
    }
    port
}

fn one_accepted(entry: &RawAccept, problems: &mut Vec<Problem>) -> Option<Accept> {
    let finding = entry.finding.as_ref().and_then(|word| finding(word, problems));
    let help =
        "Say in a few words why it is no danger here: `reason = \"code comes from there; reviewed by security\"`";
    let reason = entry.reason.as_ref().and_then(|words| host::said(words, help, problems));
    let until = entry.until.as_ref().and_then(|day| until(day, problems));
    Some(Accept { finding: finding?, reason: reason?, until: until? })
}

/// The finding's number, for its number or its name.
fn finding(word: &At<String>, problems: &mut Vec<Problem>) -> Option<String> {
    let text = word.value.trim();
    let is_called = |(id, name): &(&str, &str)| id.eq_ignore_ascii_case(text) || name.eq_ignore_ascii_case(text);
    if let Some((id, _)) = finding_names().find(is_called) {
        return Some(id.to_owned());
    }
    let upper = text.to_uppercase();
    let score = |(id, name): &(&str, &str)| {
        strsim::jaro_winkler(id, &upper).max(strsim::jaro_winkler(name, &text.to_lowercase()))
    };
    let near = finding_names().filter(|one| score(one) > 0.8).min_by(|a, b| score(b).total_cmp(&score(a)));
    let guess = near.map_or_else(String::new, |(id, name)| format!("Did you mean `{id}` ({name})? "));
    let problem = Problem::at(word.span, format!("there is no finding {}", quoted(text)))
        .label("unknown finding")
        .help(format!("{guess}`privaml verify` shows the findings with their numbers."));
    problems.push(problem);
    None
}

fn until(day: &At<String>, problems: &mut Vec<Problem>) -> Option<String> {
    let text = day.value.trim();
    if Date::parse(text, format_description!("[year]-[month]-[day]")).is_ok() {
        return Some(text.to_owned());
    }
    let problem = Problem::at(day.span, format!("{} is not a date", quoted(text)))
        .label("not a date")
        .help("Write year, month and day: `until = \"2027-06-30\"`. It counts until the end of that day (UTC).");
    problems.push(problem);
    None
}

/// One finding has one reason.
fn refuse_twice(entries: &[RawAccept], accepted: &[Option<Accept>], problems: &mut Vec<Problem>) -> bool {
    let before = problems.len();
    for (at, one) in accepted.iter().enumerate() {
        let Some(one) = one else { continue };
        let same = |other: &Option<Accept>| other.as_ref().is_some_and(|other| other.finding == one.finding);
        let first = accepted[..at].iter().position(same).and_then(|first| entries[first].finding.as_ref());
        if let (Some(first), Some(again)) = (first, &entries[at].finding) {
            let problem = Problem::at(again.span, format!("{} is accepted twice", quoted(&one.finding)))
                .label("again here")
                .also(first.span, "first here")
                .help("Remove one of them; say both reasons in the other.");
            problems.push(problem);
        }
    }
    problems.len() > before
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn read(text: &str) -> Verify {
        parse("f", text).unwrap_or_else(|p| panic!("{}", p.render(100, false))).config.verify
    }

    #[test]
    fn a_finding_goes_by_number_or_name_and_a_date_with_or_without_quotes() {
        let text = "[[verify.accept]]\nfinding = \"dns-open\"\nreason = \" known \"\nuntil = 2027-06-30\n\
                    [[verify.accept]]\nfinding = \"exf007\"\nreason = \"code\"\nuntil = \"2027-06-30\"\n";
        let verify = read(text);
        let expected =
            Accept { finding: "EXF003".to_owned(), reason: "known".to_owned(), until: "2027-06-30".to_owned() };
        assert_eq!(verify.accept[0], expected);
        assert_eq!(verify.accept[1].finding, "EXF007");
    }

    #[test]
    fn a_flow_is_taken_as_explain_takes_it() {
        let verify = read("[[verify.deny]]\nfrom = \"shared\"\nto = \"203.0.113.7\"\nport = 22\nprotocol = \"tcp\"");
        assert_eq!((verify.deny[0].port, verify.deny[0].why.as_deref()), (Some(22), None));
        let json = serde_json::to_value(&verify).unwrap();
        assert_eq!(serde_json::from_value::<Verify>(json).unwrap(), verify);
    }

    #[test]
    fn what_is_recorded_before_this_table_existed_is_still_read() {
        let mut old = serde_json::to_value(super::super::defaults()).unwrap();
        assert!(old.as_object_mut().unwrap().remove("verify").is_none(), "nothing said leaves no trace");
        assert_eq!(serde_json::from_value::<super::super::Config>(old).unwrap(), super::super::defaults());
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for (day, fine) in [("2028-02-29", true), ("2027-02-29", false), ("2027-6-3", false), ("soon", false)] {
            let text = format!("[[verify.accept]]\nfinding = \"EXF003\"\nreason = \"r\"\nuntil = \"{day}\"");
            assert_eq!(parse("f", &text).is_ok(), fine, "{day}");
        }
    }
}
