//! A complaint with its place in the file, and all of them together. Knows nothing of the parameters; prints nothing.

use std::fmt;
use std::ops::Range;

use serde_json::{Value, json};

use super::page::Page;

/// More than this many complaints help nobody: the file is something else.
const SHOWN: usize = 25;
/// The longest excerpt of the file repeated inside a sentence, in characters.
const EXCERPT: usize = 60;

/// A stretch of the file, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Length in bytes; 0 is a place between two characters.
    pub len: usize,
}

impl Span {
    /// One past the last byte.
    #[must_use]
    pub const fn end(self) -> usize {
        self.start + self.len
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, len: range.end.saturating_sub(range.start) }
    }
}

/// A value and where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// Whether the file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Refused.
    Error,
    /// Accepted, but the user should know.
    Warning,
}

/// One complaint: what, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether it stops the command.
    pub severity: Severity,
    /// The offending text.
    pub span: Span,
    /// Line of the span's start, from 1.
    pub line: usize,
    /// Column of the span's start in characters, from 1.
    pub column: usize,
    /// What is wrong: a fragment without a full stop.
    pub message: String,
    /// Words below the underlined text; may be empty.
    pub label: String,
    /// The remedy, in sentences.
    pub help: String,
    /// Other places that matter, each with words for it.
    pub also: Vec<(Span, String)>,
}

impl Problem {
    /// A complaint about a place; its line and column are filled when it is listed.
    pub(super) fn at(span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            span,
            line: 0,
            column: 0,
            message: message.into(),
            label: String::new(),
            help: String::new(),
            also: Vec::new(),
        }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    pub(super) fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }

    pub(super) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

/// All complaints about one file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    file: String,
    text: String,
    list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(file: &str, text: &str, mut list: Vec<Problem>) -> Self {
        for problem in &mut list {
            problem.span = within(text, problem.span);
            (problem.line, problem.column) = place(text, problem.span.start);
            for (span, _) in &mut problem.also {
                *span = within(text, *span);
            }
        }
        list.sort_by_key(|p| (p.span.start, p.severity == Severity::Warning));
        Self { file: file.to_owned(), text: text.to_owned(), list }
    }

    /// The file, as it was named.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The complaints.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// Whether there is nothing to complain about.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many complaints there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether any of them refuses the file.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|p| p.severity == Severity::Error)
    }

    /// For people: each complaint with its line underlined and its remedy, then a summary; `width` in columns.
    #[must_use]
    pub fn render(&self, width: usize, color: bool) -> String {
        let page = Page::new(&self.file, &self.text, width, color);
        let mut out = String::new();
        for problem in self.list.iter().take(SHOWN) {
            page.show(problem, &mut out);
            out.push('\n');
        }
        out.push_str(&self.summary());
        out.push('\n');
        out
    }

    /// For programs: an array of `{level, file, line, column, length, message, help}`.
    #[must_use]
    pub fn as_json(&self) -> Value {
        self.list.iter().map(|p| self.one_as_json(p)).collect()
    }

    fn one_as_json(&self, problem: &Problem) -> Value {
        json!({
            "level": if problem.severity == Severity::Error { "error" } else { "warning" },
            "file": self.file,
            "line": problem.line,
            "column": problem.column,
            "length": self.text[problem.span.start..problem.span.end()].chars().count(),
            "message": problem.message,
            "help": problem.help,
        })
    }

    /// `2 problems and 1 warning in params.toml`.
    fn summary(&self) -> String {
        let errors = self.list.iter().filter(|p| p.severity == Severity::Error).count();
        let counted = match (errors, self.list.len() - errors) {
            (0, warnings) => count(warnings, "warning"),
            (errors, 0) => count(errors, "problem"),
            (errors, warnings) => format!("{} and {}", count(errors, "problem"), count(warnings, "warning")),
        };
        let hidden = self.list.len().saturating_sub(SHOWN);
        let rest = if hidden == 0 { String::new() } else { format!(" (the last {hidden} not shown)") };
        format!("{counted} in {}{rest}.", self.file)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

impl std::error::Error for Problems {}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The user's text inside a sentence: in backticks, on one line, not too long.
pub(super) fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "`\"\"`".to_owned();
    }
    let mut safe: String = text.escape_debug().take(EXCERPT).collect();
    // `escape_debug` is for source code; a quotation mark needs no escape between backticks.
    safe = safe.replace("\\\"", "\"").replace("\\'", "'");
    if text.chars().count() > EXCERPT {
        safe.push('…');
    }
    format!("`{safe}`")
}

/// `a`, `b` and `c`, each in backticks.
pub(super) fn listed(words: &[&str], last: &str) -> String {
    let ticked: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match ticked.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
        None => String::new(),
    }
}

/// `1 problem`, `2 problems`.
fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// The span moved inside the text, on character boundaries.
fn within(text: &str, span: Span) -> Span {
    let start = floor(text, span.start);
    let end = floor(text, span.end().max(start));
    Span { start, len: end - start }
}

/// The nearest character boundary at or before an offset.
pub(super) fn floor(text: &str, mut offset: usize) -> usize {
    offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Line and column of an offset, both from 1, the column in characters.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, span: Range<usize>) -> Problems {
        Problems::new("params.toml", text, vec![Problem::at(span.into(), "odd").label("here").help("Do better.")])
    }

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let found = one("a = 1\nmü = 2 # x\n", 7..8);
        let at = found.iter().next().unwrap();
        assert_eq!((at.line, at.column), (2, 2));
        let after = one("mü = 2", 6..7);
        assert_eq!(after.iter().next().unwrap().column, 6);
    }

    #[test]
    fn the_shown_place_is_the_one_in_json() {
        let found = one("x = 1\r\n\tname = 2\r\n", 8..12);
        let at = found.iter().next().unwrap();
        assert!(found.render(80, false).contains(&format!("params.toml:{}:{}", at.line, at.column)));
        assert_eq!(found.as_json()[0]["line"], 2);
        assert_eq!(found.as_json()[0]["length"], 4);
    }

    #[test]
    fn the_shown_place_counts_characters_too() {
        let found = one("mü = 2", 6..7);
        assert!(found.render(80, false).contains("params.toml:1:6"), "{}", found.render(80, false));
    }

    #[test]
    fn a_span_outside_the_text_is_moved_inside() {
        let found = one("ü", 1..99);
        assert_eq!(found.iter().next().unwrap().span, Span { start: 0, len: 2 });
        assert!(found.render(80, false).contains("odd"));
    }

    #[test]
    fn excerpts_are_short_and_on_one_line() {
        assert_eq!(quoted("a\n\"b\""), "`a\\n\"b\"`");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), EXCERPT + 3);
    }

    #[test]
    fn a_flood_is_cut() {
        let list = (0..40).map(|_| Problem::at(Span::default(), "odd")).collect();
        let shown = Problems::new("f", "x", list).render(80, false);
        assert_eq!(shown.matches("odd").count(), SHOWN);
        assert!(shown.ends_with("40 problems in f (the last 15 not shown).\n"), "{shown}");
    }
}
