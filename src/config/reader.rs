//! Takes one table of the file apart: values of the right type with their places, complaints about everything else.
//! Knows no parameter's meaning.

use toml::de::{DeArray, DeTable, DeValue};

use super::keys;
use super::problem::{At, Problem, Span, quoted};

type Text = Option<At<String>>;

/// A table being read.
pub(super) struct Reader<'a, 'i> {
    /// The whole file.
    pub(super) text: &'a str,
    /// The table.
    pub(super) table: &'a DeTable<'i>,
    /// Its name, `""` at the top.
    pub(super) path: &'static str,
    /// Where it stands.
    pub(super) span: Span,
    /// The complaints so far.
    pub(super) problems: &'a mut Vec<Problem>,
}

impl<'i> Reader<'_, 'i> {
    /// Where a key stands.
    pub(super) fn key(&self, name: &str) -> Option<Span> {
        self.table.get_key_value(name).map(|(key, _)| key.span().into())
    }

    pub(super) fn refuse_unknown(&mut self) {
        for (key, value) in self.table {
            let name = key.get_ref();
            let noun = if value.get_ref().is_table() { "table" } else { "key" };
            if keys::KEYS.iter().any(|k| k.table == self.path && k.name == name) {
                continue;
            }
            let place = if self.path.is_empty() { String::new() } else { format!(" in {}", keys::header(self.path)) };
            let problem = Problem::at(key.span().into(), format!("unknown {noun} {}{place}", quoted(name)))
                .label("not a parameter")
                .help(keys::advice(self.path, name));
            self.problems.push(problem);
        }
    }

    pub(super) fn text(&mut self, name: &'static str) -> Text {
        let value = self.table.get(name)?;
        self.text_of(value, name)
    }

    fn text_of(&mut self, value: &toml::Spanned<DeValue<'i>>, name: &'static str) -> Text {
        let span = value.span().into();
        match value.get_ref() {
            DeValue::String(text) => Some(At { value: text.clone().into_owned(), span }),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
                let written = self.written(span);
                self.refuse(name, "a string", value, format!("Put it in quotes: `{name} = \"{written}\"`"))
            }
            other => {
                let example = keys::example(self.path, name);
                let many = matches!(other, DeValue::Array(_));
                let only = if many { "It takes a single value" } else { "It is not a table" };
                self.refuse(name, "a string", value, format!("{only}: `{example}`"))
            }
        }
    }

    pub(super) fn required(&mut self, name: &'static str, why: &str) -> Text {
        if self.is_there(name, why) { self.text(name) } else { None }
    }

    /// A date, in quotes or as TOML writes it without.
    pub(super) fn date(&mut self, name: &'static str, why: &str) -> Text {
        if !self.is_there(name, why) {
            return None;
        }
        let value = self.table.get(name)?;
        match value.get_ref() {
            DeValue::Datetime(date) => Some(At { value: date.to_string(), span: value.span().into() }),
            _ => self.text_of(value, name),
        }
    }

    /// Whether an entry has what it needs.
    fn is_there(&mut self, name: &'static str, why: &str) -> bool {
        if self.table.contains_key(name) {
            return true;
        }
        let header = keys::header(self.path);
        let example = keys::example(self.path, name);
        let problem = Problem::at(self.span, format!("an entry of {header} has no `{name}`"))
            .label(format!("`{name}` is missing"))
            .help(format!("{why}: `{example}`"));
        self.problems.push(problem);
        false
    }

    pub(super) fn boolean(&mut self, name: &'static str) -> Option<At<bool>> {
        let value = self.table.get(name)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(At { value: *flag, span: value.span().into() }),
            DeValue::String(text) if matches!(&**text, "true" | "false") => {
                self.refuse(name, "true or false", value, format!("Leave the quotes out: `{name} = {text}`"))
            }
            _ => self.refuse(name, "true or false", value, format!("Write `{name} = true` or `{name} = false`.")),
        }
    }

    pub(super) fn integer(&mut self, name: &'static str) -> Option<At<i64>> {
        let value = self.table.get(name)?;
        let example = keys::example(self.path, name);
        match value.get_ref() {
            // A number that no i64 holds is out of every range we have.
            DeValue::Integer(n) => Some(At {
                value: i64::from_str_radix(n.as_str(), n.radix()).unwrap_or(i64::MAX),
                span: value.span().into(),
            }),
            DeValue::String(text) if text.parse::<i64>().is_ok() => {
                self.refuse(name, "a whole number", value, format!("Leave the quotes out: `{name} = {text}`"))
            }
            _ => self.refuse(name, "a whole number", value, format!("For example: `{example}`")),
        }
    }

    pub(super) fn texts(&mut self, name: &'static str) -> Vec<At<String>> {
        let Some(value) = self.table.get(name) else { return Vec::new() };
        let example = keys::example(self.path, name);
        match value.get_ref() {
            DeValue::Array(array) => array.iter().filter_map(|v| self.element(v, name)).collect(),
            DeValue::String(text) => {
                let help = format!("Put it in brackets: `{name} = [\"{}\"]`", quoted(text).trim_matches('`'));
                self.wrong_type(name, "a list of strings", value, help);
                Vec::new()
            }
            _ => {
                self.wrong_type(name, "a list of strings", value, format!("Write `{example}`"));
                Vec::new()
            }
        }
    }

    fn element(&mut self, value: &toml::Spanned<DeValue<'i>>, name: &'static str) -> Text {
        if let DeValue::String(text) = value.get_ref() {
            return Some(At { value: text.clone().into_owned(), span: value.span().into() });
        }
        let found = kind(value.get_ref());
        let problem = Problem::at(value.span().into(), format!("an element of `{name}` is {found}, not a string"))
            .label(found)
            .help(format!("Write `{}`", keys::example(self.path, name)));
        self.problems.push(problem);
        None
    }

    /// Every pair of a table that takes any key.
    pub(super) fn pairs(&mut self) -> Vec<(At<String>, At<String>)> {
        let mut pairs = Vec::new();
        for (key, value) in self.table {
            let span = value.span().into();
            let tag = At { value: key.get_ref().clone().into_owned(), span: key.span().into() };
            if let DeValue::String(text) = value.get_ref() {
                pairs.push((tag, At { value: text.clone().into_owned(), span }));
                continue;
            }
            let found = kind(value.get_ref());
            let scalar = !matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
            let written = if scalar { self.written(span) } else { "…".to_owned() };
            let message = format!("the tag {} takes a string, not {found}", quoted(&tag.value));
            let help = format!("Put the value in quotes: `{} = \"{written}\"`", self.written(tag.span));
            self.problems.push(Problem::at(span, message).label(found).help(help));
        }
        pairs
    }

    /// Reads a table below, if it is there.
    pub(super) fn enter(&mut self, name: &'static str, read: impl FnOnce(&mut Reader<'_, 'i>)) {
        let Some(value) = self.table.get(name) else { return };
        match value.get_ref() {
            DeValue::Table(table) => self.below(table, value.span().into(), name, read),
            DeValue::Array(array) if of_tables(array) => {
                let help = match name {
                    "firewall" => "Entries of its allowlist start with `[[firewall.allow]]`.".to_owned(),
                    "verify" => "Its entries start with `[[verify.deny]]` or `[[verify.accept]]`.".to_owned(),
                    _ => format!("There is only one, so write it in single brackets: `[{name}]`"),
                };
                self.wrong_type(name, "a table", value, help);
            }
            _ => {
                let example = keys::KEYS.iter().find(|k| k.table == name);
                let line =
                    example.map_or_else(|| "\"cost-centre\" = \"42\"".to_owned(), |k| keys::example(name, k.name));
                let help = match name {
                    "firewall" => "Write `[[firewall.allow]]` and, below it, `host` and `reason`.".to_owned(),
                    "verify" => "Write `[[verify.accept]]` and, below it, `finding`, `reason` and `until`.".to_owned(),
                    _ => format!("Write `[{name}]` on a line of its own and, below it, `{line}`."),
                };
                self.wrong_type(name, "a table", value, help);
            }
        }
    }

    /// Reads every table of a list of tables.
    pub(super) fn each(&mut self, name: &'static str, path: &'static str, mut read: impl FnMut(&mut Reader<'_, 'i>)) {
        let Some(value) = self.table.get(name) else { return };
        let DeValue::Array(array) = value.get_ref() else {
            let help = format!("Start every entry with double brackets: `[[{path}]]`");
            return self.wrong_type(name, "a list of tables", value, help);
        };
        for entry in array {
            let span = entry.span().into();
            match entry.get_ref() {
                DeValue::Table(table) => self.below(table, span, path, &mut read),
                other => {
                    let word = other.as_str().map(|_| self.written(span));
                    let found = kind(other);
                    let problem = Problem::at(span, format!("an entry of `{path}` is {found}, not a table"))
                        .label(found)
                        .help(keys::entry(path, word.as_deref()));
                    self.problems.push(problem);
                }
            }
        }
    }

    fn below(&mut self, table: &DeTable<'i>, span: Span, path: &'static str, read: impl FnOnce(&mut Reader<'_, 'i>)) {
        let mut reader = Reader { text: self.text, table, path, span, problems: self.problems };
        if path != "tags" {
            reader.refuse_unknown();
        }
        read(&mut reader);
    }

    fn wrong_type(&mut self, name: &str, wanted: &str, value: &toml::Spanned<DeValue<'i>>, help: String) {
        let found = kind(value.get_ref());
        let message = format!("`{name}` takes {wanted}, not {found}");
        self.problems.push(Problem::at(value.span().into(), message).label(found).help(help));
    }

    fn refuse<T>(&mut self, name: &str, wanted: &str, value: &toml::Spanned<DeValue<'i>>, help: String) -> Option<T> {
        self.wrong_type(name, wanted, value, help);
        None
    }

    /// The text of a value as the user wrote it, shortened.
    fn written(&self, span: Span) -> String {
        quoted(self.text.get(span.start..span.end()).unwrap_or_default()).trim_matches('`').to_owned()
    }
}

/// A value's type with its article.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(array) if of_tables(array) => "a list of tables",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Whether a list is what double brackets make.
fn of_tables(array: &DeArray<'_>) -> bool {
    !array.is_empty() && array.iter().all(|v| v.get_ref().is_table())
}
