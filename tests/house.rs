//! The papers of the house: the README's tables come from the data that the environment is drawn from, its commands
//! exist, its links lead somewhere. `PRIVAML_BLESS=1 cargo test house` writes the tables anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use privaml::blueprint::{self, scanner, tables};
use privaml::config::{self, BastionSku, Config, Profile};
use privaml::isolation::{Asked, MemberKind, Model, Report, State, Topology, Weight, verify};
use privaml::model::{CloudNames, Desired, Facts};
use privaml::report::picture;
use uuid::Uuid;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn profiles(profiles: &[Profile]) -> &'static str {
    match (profiles.contains(&Profile::Baseline), profiles.contains(&Profile::Hardened)) {
        (true, true) => "both",
        (true, false) => "baseline",
        _ => "hardened",
    }
}

/// A cell: a bar would end it, an asterisk would make it slanted.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", text.replace('|', "\\|")) }
}

fn codes<T: AsRef<str>>(texts: &[T]) -> String {
    texts.iter().map(|text| code(text.as_ref())).collect::<Vec<_>>().join(", ")
}

fn hosts() -> String {
    let mut text = String::from("| host | over | for | profile | reason |\n|---|---|---|---|---|\n");
    for row in tables::hosts() {
        let set = if row.is_set { " (a set kept by Microsoft)" } else { "" };
        let (host, profile) = (code(row.host), profiles(row.profiles));
        let _ = writeln!(text, "| {host}{set} | {} | {} | {profile} | {} |", row.over, row.group, row.reason);
    }
    text
}

fn network() -> String {
    let mut text =
        String::from("| rule | from | to | protocol, ports | profile | reason |\n|---|---|---|---|---|---|\n");
    for row in tables::network() {
        let cloud = match row.public {
            Some(true) => " (public cloud only)",
            Some(false) => " (other clouds only)",
            None => "",
        };
        let (protocols, profile) = (row.protocols.join("+"), profiles(row.profiles));
        let (from, to, ports) = (code(row.from), codes(&row.to), row.ports.join(", "));
        let name = row.name;
        let _ = writeln!(text, "| {name}{cloud} | {from} | {to} | {protocols} {ports} | {profile} | {} |", row.reason);
    }
    text
}

fn security() -> String {
    let head = "| group | direction | priority | rule | from | to | protocol, ports | profile | reason |\n";
    let mut text = format!("{head}|---|---|---|---|---|---|---|---|---|\n");
    for row in tables::security() {
        let way = if row.inbound { "in" } else { "out" };
        let act = if row.allow { "allow" } else { "deny" };
        let priority = if row.is_default { "Azure's own".to_owned() } else { row.priority.to_string() };
        let (from, to, ports) = (codes(row.from), codes(row.to), row.ports.join(", "));
        let _ = writeln!(
            text,
            "| {} | {way} {act} | {priority} | {} | {from} | {to} | {} {} | {} | {} |",
            row.group,
            row.name,
            row.protocol.replace('*', "any"),
            ports.replace('*', "any"),
            profiles(row.profiles),
            row.reason
        );
    }
    text
}

/// The default environment in a profile, with a suffix that the pages name.
fn drawn(profile: Profile) -> (Config, Vec<Desired>) {
    let mut config = Config { profile, ..config::defaults() };
    config.bastion.sku = BastionSku::Standard;
    let facts = Facts {
        subscription: Uuid::nil().to_string(),
        tenant: Uuid::nil().to_string(),
        lineage: Uuid::nil(),
        suffix: "4711".to_owned(),
        jumpbox_user: "user".to_owned(),
        cloud: CloudNames::public(),
        firewall_address: None,
    };
    let desired = blueprint::draw(&config, &facts);
    (config, desired)
}

/// One profile's column: what it opens, and what the verification finds.
struct Column {
    report: Report,
    topology: Topology,
    desired: Vec<Desired>,
}

impl Column {
    fn of(profile: Profile) -> Self {
        let (config, desired) = drawn(profile);
        let (model, asked) = (Model::of_plan(&desired), Asked::of(&config, &desired));
        Self { report: verify(&model, &asked), topology: Topology::of(&model, &asked), desired }
    }

    fn body(&self, address: &str) -> Option<&serde_json::Value> {
        self.desired.iter().find(|one| one.address.as_str() == address).map(|one| &one.body)
    }

    fn firewall(&self, line: usize) -> String {
        let mut members = self.topology.networks.iter().flat_map(|n| &n.subnets).flat_map(|subnet| &subnet.members);
        let firewall = members.find(|one| one.kind == MemberKind::Firewall).unwrap();
        firewall.lines[line].split(' ').next().unwrap().to_owned()
    }

    fn service(&self, word: &str) -> String {
        let service = self.topology.services.iter().find(|one| one.lines[0] == word).unwrap();
        service.lines[1].clone()
    }

    fn storage(&self) -> &'static str {
        if self.body("service_endpoint_policy.storage").is_some() {
            "own and Azure ML's accounts, by policy"
        } else {
            "any account"
        }
    }

    fn clipboard(&self) -> &'static str {
        let body = self.body("bastion.core").unwrap();
        if body.pointer("/properties/disableCopyPaste") == Some(&true.into()) { "closed" } else { "open" }
    }

    fn checks(&self) -> String {
        let pass = self.report.checks.iter().filter(|check| check.state == State::Pass).count();
        format!("{pass} of {} pass", self.report.checks.len())
    }

    fn strict(&self) -> &'static str {
        if self.report.is_violated() || self.report.has_warnings() { "fails" } else { "passes" }
    }

    fn finding(&self, id: &str) -> String {
        self.report.findings.iter().find(|one| one.id == id).map_or_else(
            || "closed".to_owned(),
            |one| {
                let weight = if one.weight == Weight::Warning { "warning" } else { "residual" };
                let places = one.evidence.len();
                format!("{weight}, {places} place{}", if places == 1 { "" } else { "s" })
            },
        )
    }
}

fn compared() -> String {
    let [one, other] = [Profile::Baseline, Profile::Hardened].map(Column::of);
    let mut text = String::from("| | `baseline` | `hardened` |\n|---|---|---|\n");
    let mut row = |what: &str, of: &dyn Fn(&Column) -> String| {
        let _ = writeln!(text, "| {what} | {} | {} |", of(&one), of(&other));
    };
    row("hosts and sets of hosts let through", &|c| c.firewall(1));
    row("network rules of the firewall", &|c| c.firewall(2));
    row("storage accounts within reach", &|c| c.storage().to_owned());
    row("log workspace", &|c| c.service("log workspace"));
    row("Application Insights", &|c| c.service("Application Insights"));
    row("clipboard of Bastion (Standard, Premium)", &|c| c.clipboard().to_owned());
    row("checks of `verify`", &Column::checks);
    row("`verify --strict`", &|c| c.strict().to_owned());
    let mut found: Vec<_> = one.report.findings.iter().chain(&other.report.findings).collect();
    found.sort_by_key(|finding| finding.id);
    found.dedup_by_key(|finding| finding.id);
    for finding in found {
        let (id, title) = (finding.id, finding.title.trim_end_matches('.'));
        let _ = writeln!(text, "| {id} {title} | {} | {} |", one.finding(id), other.finding(id));
    }
    text
}

fn scanner() -> String {
    let mut text = String::from("| check | wants | resource | why accepted |\n|---|---|---|---|\n");
    for row in scanner::accepted() {
        let _ = writeln!(text, "| {} | {} | {} | {} |", row.check, row.wants, codes_of(&row.resources), row.reason);
    }
    text
}

fn codes_of<T: ToString>(things: &[T]) -> String {
    codes(&things.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// `text` with `table` between the marks of that name.
fn placed(text: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: generated -->"), format!("<!-- {name}: end -->"));
    let (head, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("the page lacks {begin}"));
    let (_, tail) = rest.split_once(&end).unwrap_or_else(|| panic!("the page lacks {end}"));
    format!("{head}{begin}\n\n{table}\n{end}{tail}")
}

/// The page as it is, or rewritten where that is wanted.
fn compare(page: &str, tables: &[(&str, String)]) {
    let path = root().join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let wanted = tables.iter().fold(text.clone(), |text, (name, table)| placed(&text, name, table));
    if std::env::var_os("PRIVAML_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(text == wanted, "the tables of {page} have drifted; run `PRIVAML_BLESS=1 cargo test house`");
}

#[test]
fn the_tables_of_the_readme_are_the_data() {
    let (hosts, network, security) = (hosts(), network(), security());
    let tables = [("profiles", compared()), ("hosts", hosts), ("network rules", network), ("security rules", security)];
    compare("README.md", &tables);
}

#[test]
fn the_accepted_complaints_of_the_scanner_are_the_data() {
    compare("docs/scanner.md", &[("scanner", scanner())]);
}

#[test]
fn the_picture_is_drawn_from_the_default_environment() {
    let (config, desired) = drawn(Profile::Baseline);
    let topology = Topology::of(&Model::of_plan(&desired), &Asked::of(&config, &desired));
    let wanted = picture::svg(&topology, "The environment that privaml makes: rg-test4711, westeurope");
    let path = root().join("docs/environment.svg");
    if std::env::var_os("PRIVAML_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    let is_same = std::fs::read_to_string(&path).unwrap() == wanted;
    assert!(is_same, "docs/environment.svg has drifted; run `PRIVAML_BLESS=1 cargo test house`");
}

/// Pages that people read: file names from the root.
fn pages() -> Vec<PathBuf> {
    let here = std::fs::read_dir(root()).unwrap().flatten();
    let docs = std::fs::read_dir(root().join("docs")).unwrap().flatten();
    here.chain(docs).map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "md")).collect()
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with('#') || link.starts_with("mailto:") {
                continue;
            }
            let target = link.split('#').next().unwrap_or_default();
            let there = page.parent().unwrap_or(Path::new("")).join(target);
            assert!(there.exists(), "{} links to {link}", page.display());
        }
    }
}

#[test]
fn the_readme_names_every_parameter() {
    let template = std::fs::read_to_string(root().join("config/params.toml")).unwrap();
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let assigned = template.lines().filter_map(|line| line.trim_start_matches("# ").split_once(" = "));
    let names = assigned.map(|(name, _)| name.trim()).filter(|name| {
        name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !["team", "cost-centre"].contains(name)
    });
    for name in names {
        assert!(readme.contains(name), "README.md does not name the parameter {name}");
    }
}
