//! Text to a TOML tree, going on after an error, each error in the user's terms. Knows no parameters.

use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Span, quoted};

/// After so many the file is not TOML, and the rest says nothing new.
const ENOUGH: usize = 20;

/// The tree, as far as it could be read, and what stands in the way.
pub(super) fn read(text: &str) -> (DeTable<'_>, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let table = table.into_inner();
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors {
        let span = error.span().map_or_else(Span::default, Span::from);
        // The parser may stumble several times over one line; the first time tells.
        if problems.iter().all(|p| line(text, p.span.start) != line(text, span.start)) {
            problems.push(explain(text, &table, error.message(), span));
        }
        if problems.len() == ENOUGH {
            break;
        }
    }
    (table, problems)
}

/// Number of the line that holds an offset.
pub(super) fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count()
}

/// The parser's message with a remedy. Its words before the comma are stable, its list of expectations is noise.
fn explain(text: &str, table: &DeTable<'_>, message: &str, span: Span) -> Problem {
    let what = message.split(", expected").next().unwrap_or(message);
    match what {
        "duplicate key" => duplicate(text, table, span),
        "string values must be quoted" | "invalid value" => unquoted(text, span),
        _ => Problem::at(span, format!("not valid TOML: {what}")).label(expectation(message)).help(remedy(what)),
    }
}

fn expectation(message: &str) -> String {
    message.split_once(", expected ").map_or_else(String::new, |(_, rest)| format!("expected {rest}"))
}

fn remedy(what: &str) -> &'static str {
    match what {
        "missing assignment between key-value pairs" | "key with no value" | "missing value for key" | "missing value" => {
            "Write `key = value`, one a line: name = \"test\""
        }
        "invalid unquoted key" | "unquoted keys cannot be empty" | "invalid key-value pair" => {
            "A key is made of letters, digits, `_` and `-`; any other goes in quotes: \"cost centre\" = \"42\""
        }
        "missing opening quote" | "invalid basic string" | "invalid literal string" => {
            "Close the string with the same quote it begins with, on the same line."
        }
        "missing escaped value" | "too few unicode value digits" => {
            "A backslash starts an escape; write two for one, or use single quotes: 'C:\\temp'"
        }
        "unclosed array" | "missing comma between array elements" | "extra comma in array" => {
            "Write [\"a\", \"b\"]: commas between the elements, a bracket at the end."
        }
        "unclosed inline table" | "missing comma between key-value pairs" | "extra comma in inline table" => {
            "Write { host = \"pypi.org\", reason = \"Python packages\" }: commas between the pairs, a brace at the end."
        }
        "unclosed table" | "missing table open" => "Write the table's name in brackets on a line of its own: [jumpbox]",
        "unclosed array table" => "Write the name in double brackets on a line of its own: [[firewall.allow]]",
        "unexpected key or value" | "unexpected content" => "Start a new line, or put a `#` before a comment.",
        "extra `=`" | "extra assignment between key-value pairs" => "Write one `=` between a key and its value.",
        "cannot recurse further; max recursion depth met" | "recursion limit" => "No parameter is nested so deeply.",
        _ => "`privaml init` writes a commented file to start from.",
    }
}

/// A key given twice, pointing at both.
fn duplicate(text: &str, table: &DeTable<'_>, span: Span) -> Problem {
    let key = text.get(span.start..span.end()).unwrap_or_default();
    let name = key.trim_matches(['"', '\'']);
    let problem = Problem::at(span, format!("{} is given twice", quoted(name)))
        .label("again here")
        .help("Remove one of them.");
    match earlier(table, name, span.start) {
        Some(first) => problem.also(first, "first here"),
        None => problem,
    }
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
fn unquoted(text: &str, span: Span) -> Problem {
    let rest = text.get(span.start..).unwrap_or_default();
    let word = rest.lines().next().unwrap_or_default().split('#').next().unwrap_or_default();
    let word = word.trim_end().trim_matches(['"', '\'', '“', '”', '‘', '’']);
    let problem = Problem::at(span, "a value is neither quoted text nor a number, true or false");
    match word.to_lowercase().as_str() {
        "" => problem.help("Write a value after the `=`."),
        "yes" | "on" => problem.help("Write true, without quotes."),
        "no" | "off" => problem.help("Write false, without quotes."),
        "true" | "false" => problem.help(format!("Write {}, in lower case.", word.to_lowercase())),
        "null" | "none" | "nil" => problem.help("TOML has no empty value: leave the line out."),
        _ => problem.help(format!("Put text in straight quotes: \"{}\"", quoted(word).trim_matches('`'))),
    }
}
