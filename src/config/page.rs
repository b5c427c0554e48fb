//! A file with complaints drawn into it by miette. The only place that knows miette; says nothing of its own.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};

use super::problem::{Problem, Severity, Span, floor, place};

/// Below this many columns nothing can be read.
const NARROWEST: usize = 40;

/// A file to draw on. Places are counted in characters, as editors do; miette would count bytes.
#[derive(Debug)]
pub(super) struct Page<'a> {
    name: &'a str,
    text: &'a str,
    tamed: String,
    width: usize,
    color: bool,
}

impl<'a> Page<'a> {
    pub(super) fn new(name: &'a str, text: &'a str, width: usize, color: bool) -> Self {
        Self { name, text, tamed: tame(text), width: width.max(NARROWEST), color }
    }

    /// One complaint: message, underlined text, remedy.
    pub(super) fn show(&self, problem: &Problem, out: &mut String) {
        let theme = if self.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(self.width);
        // What miette puts in front takes 4 columns of a message and 8 of a remedy.
        let message = wrapped(&problem.message, self.width - 4);
        let help = wrapped(&problem.help, self.width - 8);
        let shown = Shown { problem, message, help, page: self };
        // Writing to a String cannot fail, and a report cut short is better than none.
        let _ = handler.with_wrap_lines(false).render_report(out, &shown);
    }
}

impl SourceCode for Page<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.tamed.read_span(span, before, after)?;
        let column = if read.column() == 0 { 0 } else { place(self.text, floor(self.text, span.offset())).1 - 1 };
        let name = self.name.to_owned();
        let (data, covered, line, lines) = (read.data(), *read.span(), read.line(), read.line_count());
        Ok(Box::new(MietteSpanContents::new_named(name, data, covered, line, column, lines)))
    }
}

/// One complaint in miette's terms.
struct Shown<'a> {
    problem: &'a Problem,
    message: String,
    help: String,
    page: &'a Page<'a>,
}

impl Shown<'_> {
    fn labelled(&self, label: &str, span: Span) -> LabeledSpan {
        let line = first_line(self.page.text, span);
        let words = (!label.is_empty()).then(|| label.to_owned());
        LabeledSpan::new(words, line.start, line.len)
    }
}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.help.is_empty()).then(|| Box::new(&self.help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.page)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let mut first = self.labelled(&self.problem.label, self.problem.span);
        first = LabeledSpan::new_primary_with_span(first.label().map(str::to_owned), *first.inner());
        let others = self.problem.also.iter().map(|(span, label)| self.labelled(label, *span));
        Some(Box::new(std::iter::once(first).chain(others)))
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.problem, f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown<'_> {}

/// Lines of up to `width` columns. What stands in backticks is kept whole, so that it can be copied.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    let mut word = String::new();
    for piece in text.split(' ') {
        if !word.is_empty() {
            word.push(' ');
        }
        word.push_str(piece);
        if word.matches('`').count() % 2 == 1 {
            continue;
        }
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = std::mem::take(&mut word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&std::mem::take(&mut word));
            }
            _ => lines.push(std::mem::take(&mut word)),
        }
    }
    // An odd backtick came from the user's text.
    lines.extend((!word.is_empty()).then_some(word));
    lines.join("\n")
}

/// The part of the span on its first line: a block of underlined lines is hard to read.
fn first_line(text: &str, span: Span) -> Span {
    let covered = &text[span.start..span.end()];
    let len = covered.find(['\n', '\r']).unwrap_or(covered.len());
    Span { start: span.start, len }
}

/// The text with control and direction characters replaced byte for byte, so that showing a file cannot steer a terminal.
fn tame(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => c,
            '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() && c.len_utf8() == 1 => '?',
            c if c.is_control() => '·',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn showing_a_file_cannot_steer_the_terminal() {
        let text = "name = \"\u{1b}[2J\u{202e}\u{9b}\"\n";
        let mut shown = String::new();
        Page::new("f", text, 80, false).show(&Problem::at(Span { start: 0, len: 4 }, "odd"), &mut shown);
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{shown:?}");
        assert_eq!(tame(text).len(), text.len());
    }

    #[test]
    fn a_command_is_never_broken() {
        assert_eq!(wrapped("Say `a b c d` or not", 10), "Say\n`a b c d`\nor not");
        assert_eq!(wrapped("one ` odd", 10), "one\n` odd");
        assert_eq!(wrapped("", 10), "");
    }
}
