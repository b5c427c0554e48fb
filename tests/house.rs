//! The papers of the house: the README's tables come from the data that the environment is drawn from, its commands
//! exist, its links lead somewhere. `PRIVAML_BLESS=1 cargo test house` writes the tables anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use privaml::blueprint::{scanner, tables};
use privaml::config::Profile;

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
    compare("README.md", &[("hosts", hosts()), ("network rules", network()), ("security rules", security())]);
}

#[test]
fn the_accepted_complaints_of_the_scanner_are_the_data() {
    compare("docs/scanner.md", &[("scanner", scanner())]);
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
