//! The file as written: every value with its place, of the right type, under a known key. Judges no value.

use toml::de::{DeArray, DeTable, DeValue};

use super::keys;
use super::problem::{At, Problem, Span, quoted};

type Text = Option<At<String>>;

/// The parameters as they were given; what was not given stays empty.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) name: Text,
    pub(super) location: Text,
    pub(super) vnet_address_space: Text,
    pub(super) profile: Text,
    pub(super) network: RawNetwork,
    pub(super) allow: Vec<RawAllow>,
    pub(super) jumpbox: RawJumpbox,
    pub(super) bastion_sku: Text,
    pub(super) monitor: RawMonitor,
    pub(super) users: Vec<At<String>>,
    pub(super) groups: Vec<At<String>>,
    pub(super) tags: Vec<(At<String>, At<String>)>,
    pub(super) state: RawState,
}

/// `[network]`
#[derive(Debug, Default)]
pub(super) struct RawNetwork {
    pub(super) firewall: Text,
    pub(super) bastion: Text,
    pub(super) shared: Text,
}

/// One `[[firewall.allow]]`.
#[derive(Debug)]
pub(super) struct RawAllow {
    pub(super) host: Text,
    pub(super) reason: Text,
}

/// `[jumpbox]`
#[derive(Debug, Default)]
pub(super) struct RawJumpbox {
    pub(super) enabled: Option<At<bool>>,
    pub(super) size: Text,
    pub(super) image: Text,
    pub(super) user: Text,
    pub(super) license_type: Text,
}

/// `[monitor]`
#[derive(Debug, Default)]
pub(super) struct RawMonitor {
    pub(super) retention_days: Option<At<i64>>,
    pub(super) daily_cap_gb: Option<At<i64>>,
}

/// `[state]`
#[derive(Debug, Default)]
pub(super) struct RawState {
    pub(super) backend: Text,
    pub(super) account: Text,
    pub(super) container: Text,
    pub(super) key: Text,
    pub(super) endpoint: Text,
    pub(super) recipients: Vec<At<String>>,
}

/// Takes the whole file apart; whatever does not belong is a problem.
pub(super) fn walk(text: &str, root: &DeTable<'_>, problems: &mut Vec<Problem>) -> Raw {
    let mut top = Reader { text, table: root, path: "", span: Span::default(), problems };
    top.refuse_unknown();
    let mut raw = Raw {
        name: top.text("name"),
        location: top.text("location"),
        vnet_address_space: address_space(&mut top),
        profile: top.text("profile"),
        ..Raw::default()
    };
    top.enter("network", |t| {
        raw.network = RawNetwork { firewall: t.text("firewall"), bastion: t.text("bastion"), shared: t.text("shared") };
    });
    top.enter("firewall", |t| raw.allow = allow(t));
    top.enter("jumpbox", |t| {
        raw.jumpbox = RawJumpbox {
            enabled: t.boolean("enabled"),
            size: t.text("size"),
            image: t.text("image"),
            user: t.text("user"),
            license_type: t.text("license_type"),
        };
    });
    top.enter("bastion", |t| raw.bastion_sku = t.text("sku"));
    top.enter("monitor", |t| {
        raw.monitor =
            RawMonitor { retention_days: t.integer("retention_days"), daily_cap_gb: t.integer("daily_cap_gb") };
    });
    top.enter("access", |t| (raw.users, raw.groups) = (t.texts("users"), t.texts("groups")));
    top.enter("tags", |t| raw.tags = t.pairs());
    top.enter("state", |t| raw.state = state(t));
    raw
}

/// The Terraform project spelled it `VNET_address_space`; both spellings are welcome, not both at once.
fn address_space(top: &mut Reader) -> Text {
    let ours = top.text("vnet_address_space");
    let theirs = top.text("VNET_address_space");
    if let (Some(ours), Some(theirs)) = (top.key("vnet_address_space"), top.key("VNET_address_space")) {
        let (first, second) = if ours < theirs { (ours, theirs) } else { (theirs, ours) };
        let problem = Problem::at(second, "the address space is given twice, in two spellings")
            .label("again here")
            .also(first, "first here")
            .help("Keep `vnet_address_space`.");
        top.problems.push(problem);
    }
    ours.or(theirs)
}

fn allow(firewall: &mut Reader) -> Vec<RawAllow> {
    let mut entries = Vec::new();
    firewall.each("allow", "firewall.allow", |entry| {
        entries.push(RawAllow {
            host: entry.required("host", "Say which host the firewall lets through"),
            reason: entry.required("reason", "Say why, for whoever reviews the allowlist"),
        });
    });
    entries
}

fn state(t: &mut Reader) -> RawState {
    RawState {
        backend: t.text("backend"),
        account: t.text("account"),
        container: t.text("container"),
        key: t.text("key"),
        endpoint: t.text("endpoint"),
        recipients: t.texts("recipients"),
    }
}

/// A table being read.
struct Reader<'a, 'i> {
    text: &'a str,
    table: &'a DeTable<'i>,
    path: &'static str,
    span: Span,
    problems: &'a mut Vec<Problem>,
}

impl<'i> Reader<'_, 'i> {
    /// Where a key stands.
    fn key(&self, name: &str) -> Option<Span> {
        self.table.get_key_value(name).map(|(key, _)| key.span().into())
    }

    fn refuse_unknown(&mut self) {
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

    fn text(&mut self, name: &'static str) -> Text {
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

    fn required(&mut self, name: &'static str, why: &str) -> Text {
        if self.table.contains_key(name) {
            return self.text(name);
        }
        let header = keys::header(self.path);
        let example = keys::example(self.path, name);
        let problem = Problem::at(self.span, format!("an entry of {header} has no `{name}`"))
            .label(format!("`{name}` is missing"))
            .help(format!("{why}: `{example}`"));
        self.problems.push(problem);
        None
    }

    fn boolean(&mut self, name: &'static str) -> Option<At<bool>> {
        let value = self.table.get(name)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(At { value: *flag, span: value.span().into() }),
            DeValue::String(text) if matches!(&**text, "true" | "false") => {
                self.refuse(name, "true or false", value, format!("Leave the quotes out: `{name} = {text}`"))
            }
            _ => self.refuse(name, "true or false", value, format!("Write `{name} = true` or `{name} = false`.")),
        }
    }

    fn integer(&mut self, name: &'static str) -> Option<At<i64>> {
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

    fn texts(&mut self, name: &'static str) -> Vec<At<String>> {
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
    fn pairs(&mut self) -> Vec<(At<String>, At<String>)> {
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
    fn enter(&mut self, name: &'static str, read: impl FnOnce(&mut Reader<'_, 'i>)) {
        let Some(value) = self.table.get(name) else { return };
        match value.get_ref() {
            DeValue::Table(table) => self.below(table, value.span().into(), name, read),
            DeValue::Array(array) if of_tables(array) => {
                let help = match name {
                    "firewall" => "Entries of its allowlist start with `[[firewall.allow]]`.".to_owned(),
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
                    _ => format!("Write `[{name}]` on a line of its own and, below it, `{line}`."),
                };
                self.wrong_type(name, "a table", value, help);
            }
        }
    }

    /// Reads every table of a list of tables.
    fn each(&mut self, name: &'static str, path: &'static str, mut read: impl FnMut(&mut Reader<'_, 'i>)) {
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
                    let host = other.as_str().map_or("\"pypi.org\"".to_owned(), |_| self.written(span));
                    let found = kind(other);
                    let problem = Problem::at(span, format!("an entry of `{path}` is {found}, not a table"))
                        .label(found)
                        .help(format!("Every host needs a reason: `{{ host = {host}, reason = \"…\" }}`"));
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
