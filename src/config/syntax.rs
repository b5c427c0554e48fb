//! Text to a TOML tree, going on after an error, each error in the user's terms. Knows no parameters.

use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Span, quoted};

/// After so many the file is not TOML, and the rest says nothing new.
const ENOUGH: usize = 20;

/// The tree, as far as it could be read, and what stands in the way.
pub(super) fn read(text: &str) -> (DeTable<'_>, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let table = table.into_inner();
    if text.trim_start().starts_with('{') {
        return (DeTable::new(), vec![not_json(text)]);
    }
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors {
        let span = error.span().map_or_else(Span::default, Span::from);
        let problem = explain(text, &table, error.message(), span);
        // The parser may stumble several times over one line or one open bracket; the first time tells.
        let told = |p: &Problem| line(text, p.span.start) == line(text, problem.span.start);
        let taken_in = |p: &Problem| p.span < problem.span && swallows(text, p);
        if !problems.iter().any(|p| told(p) || taken_in(p)) {
            problems.push(problem);
        }
        if problems.len() == ENOUGH {
            break;
        }
    }
    (table, problems)
}

/// Whether what was read at an offset is a guess, because a line that is not TOML decides what it means.
pub(super) fn doubtful(text: &str, broken: &[Problem], offset: usize) -> bool {
    let at = line(text, offset);
    broken.iter().any(|p| {
        let first = line(text, p.span.start);
        // Without its header, the lines of a table look like those of another.
        let header = |l: &str| l.trim_start().starts_with('[');
        let rest = || text.lines().enumerate().skip(first + 1);
        let last = match text.lines().nth(first) {
            _ if swallows(text, p) => usize::MAX,
            Some(l) if header(l) => rest().find(|(_, l)| header(l)).map_or(usize::MAX, |(n, _)| n - 1),
            _ => first,
        };
        (first..=last).contains(&at)
    })
}

/// Number of the line that holds an offset, from 0.
fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count()
}

fn in_brackets(message: &str) -> bool {
    ["array elements", "in array", "unclosed array", "inline table"].iter().any(|what| message.contains(what))
        && !message.contains("array table")
}

/// Whether a bracket stays open and so takes in what follows: the next line's `=`, or a table's header.
fn swallows(text: &str, problem: &Problem) -> bool {
    let rest = text.get(problem.span.start..).unwrap_or_default();
    let closed = rest.find([']', '}']).unwrap_or(usize::MAX);
    in_brackets(&problem.message) && (rest.starts_with('[') || closed >= rest.find('=').unwrap_or(usize::MAX))
}

fn not_json(text: &str) -> Problem {
    let start = text.len() - text.trim_start().len();
    Problem::at(Span { start, len: 1 }, "this looks like JSON; parameters are written in TOML")
        .help("Write `name = \"test\"` instead of `\"name\": \"test\",`, without braces around it all.")
}

/// The parser's message with a remedy. Its words before the comma are stable, its list of expectations is noise.
fn explain(text: &str, table: &DeTable<'_>, message: &str, span: Span) -> Problem {
    let what = message.split(", expected").next().unwrap_or(message);
    if what == "duplicate key" {
        return duplicate(text, table, span);
    }
    if let Some((value, word)) = bare_value(text, span).filter(|_| scalar(what)) {
        return unquoted(value, word);
    }
    let before = text.get(..span.start).unwrap_or_default();
    if what == "key with no value" && before.trim_end_matches([' ', '\t']).ends_with(':') {
        let colon = Span { start: before.trim_end_matches([' ', '\t']).len() - 1, len: 1 };
        return Problem::at(colon, "a colon where `=` belongs").help("Write `name = \"test\"`, not `name: \"test\"`.");
    }
    Problem::at(span, format!("not valid TOML: {what}")).label(expectation(message)).help(remedy(what))
}

/// Whether a message is about a value that is neither text in quotes nor a list nor a table.
fn scalar(what: &str) -> bool {
    let about = [
        "invalid ",
        "string values",
        "missing value",
        "redundant",
        "unexpected leading",
        "unexpected sign",
        "radix",
        "integers with",
    ];
    let others = ["string", "key", "comment", "table"];
    what == "string values must be quoted"
        || about.iter().any(|a| what.starts_with(a)) && !others.iter().any(|o| what.contains(o))
}

/// The value without quotes or brackets on the line of an error, and its place.
fn bare_value(text: &str, span: Span) -> Option<(Span, &str)> {
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let equals = line.find('=').filter(|at| start + at < span.end().max(span.start + 1))?;
    let value = line[equals + 1..].split('#').next().unwrap_or_default();
    let word = value.trim();
    if word.starts_with(['"', '\'', '[', '{']) {
        return None;
    }
    let at = start + equals + 1 + (value.len() - value.trim_start().len());
    Some((Span { start: at, len: word.len() }, word))
}

fn expectation(message: &str) -> String {
    message.split_once(", expected ").map_or_else(String::new, |(_, rest)| format!("expected {rest}"))
}

fn remedy(what: &str) -> &'static str {
    match what {
        "missing assignment between key-value pairs"
        | "key with no value"
        | "missing value for key"
        | "missing value" => "Write a key, `=` and a value, one a line: `name = \"test\"`",
        "invalid unquoted key" | "unquoted keys cannot be empty" | "invalid key-value pair" => {
            "A key is made of letters, digits, `_` and `-`, and followed by `=`: `name = \"test\"`"
        }
        "string values must be quoted" => "Put text in straight quotes: `\"test\"`",
        "missing opening quote" | "invalid basic string" | "invalid literal string" => {
            "Close the string with the same quote it begins with, on the same line. A backslash in it is written twice."
        }
        "missing escaped value" | "too few unicode value digits" => {
            "A backslash starts an escape; write two for one, or use single quotes: `'C:\\temp'`"
        }
        "unclosed array"
        | "missing comma between array elements"
        | "extra comma in array"
        | "unexpected `=` in array" => {
            "Write `[\"a\", \"b\"]`, with a comma between the elements. Is a `]` missing further up?"
        }
        "unclosed inline table" | "missing comma between key-value pairs" | "extra comma in inline table" => {
            "Write `{ host = \"pypi.org\", reason = \"packages\" }`, with a comma between the pairs. Is a `}` missing further up?"
        }
        "unclosed table" | "missing table open" => {
            "Write the table's name in brackets on a line of its own: `[jumpbox]`"
        }
        "unclosed array table" => "Write the name in double brackets on a line of its own: `[[firewall.allow]]`",
        "unexpected key or value" | "unexpected content" => "Start a new line here, or put a `#` before a comment.",
        "extra `=`" | "extra assignment between key-value pairs" => "Write one `=` between a key and its value.",
        "cannot recurse further; max recursion depth met" | "recursion limit" => "No parameter is nested so deeply.",
        _ => "`privaml init` writes a commented file to start from.",
    }
}

/// A key or table given twice, pointing at both.
fn duplicate(text: &str, table: &DeTable<'_>, span: Span) -> Problem {
    let name = text.get(span.start..span.end()).unwrap_or_default().trim_matches(['"', '\'']);
    let header = header_before(text, span);
    let help = if header.is_some() { "Put all of its keys below one of them." } else { "Remove one of them." };
    let problem = Problem::at(span, format!("{} is given twice", quoted(name))).label("again here").help(help);
    match header.or_else(|| earlier(table, name, span.start)) {
        Some(first) => problem.also(first, "first here"),
        None => problem,
    }
}

/// The earlier line that reads as the line of the span, a table's header; the tree remembers only the later one.
fn header_before(text: &str, span: Span) -> Option<Span> {
    let plain = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let ours = plain(text[start..].lines().next().unwrap_or_default());
    let mut offset = 0;
    for line in text[..start].split_inclusive('\n') {
        if ours.starts_with('[') && plain(line) == ours {
            let indent = line.len() - line.trim_start().len();
            return Some(Span { start: offset + indent, len: ours.len() });
        }
        offset += line.len();
    }
    None
}

/// The last place before an offset where a key of that name was read.
fn earlier(table: &DeTable<'_>, name: &str, before: usize) -> Option<Span> {
    let mut found: Option<Span> = None;
    for (key, value) in table {
        let span = Span::from(key.span());
        let here = (key.get_ref() == name && span.start < before).then_some(span);
        found = [found, here, earlier_below(value.get_ref(), name, before)].into_iter().flatten().max();
    }
    found
}

fn earlier_below(value: &DeValue<'_>, name: &str, before: usize) -> Option<Span> {
    match value {
        DeValue::Table(table) => earlier(table, name, before),
        DeValue::Array(array) => array.iter().filter_map(|v| earlier_below(v.get_ref(), name, before)).max(),
        _ => None,
    }
}

/// `location = westeurope`: the commonest slip of all.
fn unquoted(span: Span, word: &str) -> Problem {
    const CURLY: [char; 4] = ['“', '”', '‘', '’'];
    let small = word.to_lowercase();
    let (message, help) = match small.as_str() {
        "" => ("a key without a value", "Write a value after the `=`, or leave the line out.".to_owned()),
        "yes" | "on" => ("not a value in TOML", "Write `true`, without quotes.".to_owned()),
        "no" | "off" => ("not a value in TOML", "Write `false`, without quotes.".to_owned()),
        "true" | "false" => ("not a value in TOML", format!("Write `{small}`, in lower case.")),
        "null" | "none" | "nil" => ("TOML has no empty value", "Leave the line out.".to_owned()),
        _ if word.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '_')) => {
            let digits = word.replace(['+', '_'], "");
            ("this is not how TOML writes a number", format!("Write `{}`.", digits.trim_start_matches('0')))
        }
        _ => {
            let inside = quoted(word.trim_matches(['"', '\'']).trim_matches(CURLY));
            let what = if word.contains(CURLY) { "curly quotes are not quotes to TOML" } else { "text needs quotes" };
            (what, format!("Put it in straight quotes: `\"{}\"`", inside.trim_matches('`')))
        }
    };
    Problem::at(span, message).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        read(text).1.into_iter().map(|p| format!("{} {} {}", line(text, p.span.start) + 1, p.message, p.help)).collect()
    }

    #[test]
    fn common_slips_have_a_remedy_of_their_own() {
        let cases = [
            ("a = west # x", "1 text needs quotes Put it in straight quotes: `\"west\"`"),
            ("a = 10.1.0.0/22", "1 text needs quotes Put it in straight quotes: `\"10.1.0.0/22\"`"),
            ("a = 6f9c1f6a-2f0e", "1 text needs quotes Put it in straight quotes: `\"6f9c1f6a-2f0e\"`"),
            ("a = no", "1 not a value in TOML Write `false`, without quotes."),
            ("a = True", "1 not a value in TOML Write `true`, in lower case."),
            ("a = None", "1 TOML has no empty value Leave the line out."),
            ("a = 030", "1 this is not how TOML writes a number Write `30`."),
            ("a =", "1 a key without a value Write a value after the `=`, or leave the line out."),
        ];
        for (text, report) in cases {
            assert_eq!(said(text), [report], "{text}");
        }
    }

    #[test]
    fn lines_after_an_error_are_read() {
        let (table, problems) = read("a = b\nc = 1\nd = e\nf = 2\n");
        assert_eq!(problems.len(), 2);
        assert!(table.contains_key("c") && table.contains_key("f"));
    }

    #[test]
    fn what_a_broken_line_decides_is_doubtful() {
        let text = "a = 1\n[b\nc = 2\n[d]\ne = 3\n";
        let (_, broken) = read(text);
        let doubted = |needle: &str| doubtful(text, &broken, text.find(needle).unwrap());
        assert!(doubted("c =") && !doubted("a =") && !doubted("e ="));
    }

    #[test]
    fn an_open_bracket_is_one_problem() {
        let problems = said("a = [\"b\"\nc = 1\nd = 2\ne = 3\n");
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert_eq!(said("a = [\"b\" \"c\"]\nd = [1 2]\n").len(), 2);
    }
}
