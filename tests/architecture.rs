//! The shape of the crate: which folder may use which, and what every file must open with. Reads source as text.

use std::fs;
use std::path::{Path, PathBuf};

fn sources() -> Vec<(String, String)> {
    fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                gather(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    gather(&root, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().display().to_string().replace('\\', "/");
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// The text before the file's own tests.
fn code(text: &str) -> &str {
    text.find("#[cfg(test)]").map_or(text, |at| &text[..at])
}

fn is_test_file(name: &str) -> bool {
    name.contains("/tests") || name.ends_with("tests.rs") || name.ends_with("/fake.rs")
}

#[test]
fn every_file_says_what_it_is() {
    for (name, text) in sources() {
        assert!(text.starts_with("//!"), "{name} does not open with a `//!` line");
    }
}

#[test]
fn files_stay_readable() {
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test_file(name)) {
        let lines = code(&text).lines().count();
        assert!(lines <= 420, "{name} has {lines} lines before its tests");
    }
}

/// Folder → folders it may not use (`crate::X`).
const MAY_NOT: &[(&str, &[&str])] = &[
    ("model/", &["kind", "config", "blueprint", "plan", "apply", "arm", "store", "report", "sandbox", "command"]),
    ("kind/", &["config", "blueprint", "plan", "apply", "arm", "store", "report", "sandbox", "command"]),
    ("config/", &["kind", "blueprint", "plan", "apply", "arm", "store", "report", "sandbox", "command"]),
    ("blueprint/", &["plan", "apply", "arm", "store", "report", "sandbox", "command"]),
    ("isolation/", &["kind", "blueprint", "plan", "apply", "arm", "store", "report", "sandbox", "command"]),
    ("plan/", &["config", "blueprint", "apply", "arm", "store", "report", "sandbox", "command"]),
    ("arm/", &["kind", "config", "blueprint", "plan", "apply", "store", "report", "sandbox", "command"]),
    ("store/", &["config", "blueprint", "plan", "apply", "arm", "report", "sandbox", "command"]),
    ("apply/", &["config", "blueprint", "report", "sandbox", "command"]),
    ("report/", &["config", "blueprint", "apply", "arm", "store", "sandbox", "command"]),
    ("sandbox/", &["config", "blueprint", "plan", "apply", "arm", "store", "report", "command"]),
];

#[test]
fn imports_point_downward() {
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test_file(name)) {
        for (folder, forbidden) in MAY_NOT.iter().filter(|(folder, _)| name.starts_with(folder)) {
            for other in *forbidden {
                let used = code(&text).contains(&format!("crate::{other}"));
                assert!(!used, "{name}: {folder} may not use crate::{other}");
            }
        }
    }
}

#[test]
fn planning_performs_no_io() {
    let pure = ["model/", "kind/", "config/", "blueprint/", "plan/", "isolation/"];
    let cores = [
        "apply/schedule.rs",
        "arm/operation.rs",
        "arm/retry.rs",
        "arm/pace.rs",
        "sandbox/world.rs",
        "sandbox/respond.rs",
    ];
    let effects = ["tokio::", "std::fs", "std::env", "SystemTime", "Instant::now", "rand::"];
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test_file(name)) {
        if pure.iter().any(|folder| name.starts_with(folder)) || cores.contains(&name.as_str()) {
            for effect in effects {
                assert!(!code(&text).contains(effect), "{name} is pure but uses {effect}");
            }
        }
    }
}

#[test]
fn sdk_models_stop_at_kind() {
    for (name, text) in sources() {
        assert!(name.starts_with("kind/") || !text.contains("azure_mgmt_"), "{name} names an SDK model");
    }
}

#[test]
fn only_report_prints_and_only_main_exits() {
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test_file(name)) {
        let text = code(&text);
        for macro_name in ["println!(", "eprintln!(", "print!(", "eprint!("] {
            let prints = text.lines().any(|l| !l.trim_start().starts_with("//") && l.contains(macro_name));
            assert!(!prints || name.starts_with("report/"), "{name} prints");
        }
        assert!(!text.contains("process::exit"), "{name} exits");
    }
}

/// The functions of a source text: name, lines. Reads indentation, which rustfmt keeps.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((head, tail)) = line.split_once("fn ").filter(|_| !line.trim_start().starts_with("//")) else {
            continue;
        };
        let words = ["pub", "async", "const", "pub(super)", "pub(crate)", "pub(in"];
        if !head.split_whitespace().all(|word| words.contains(&word)) {
            continue;
        }
        let end = format!("{}}}", " ".repeat(line.len() - line.trim_start().len()));
        let length = lines[at..].iter().position(|l| *l == end || l.ends_with(';') && l.starts_with(&end));
        let name = tail.split(['(', '<']).next().unwrap_or_default();
        found.push((name.to_owned(), length.unwrap_or_default() + 1));
    }
    found
}

#[test]
fn functions_stay_readable() {
    let mut all = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test_file(name)) {
        for (function, lines) in functions(code(&text)) {
            assert!(lines <= 60, "{name}: {function} has {lines} lines");
            all.push(lines);
        }
    }
    all.sort_unstable();
    assert!(all.len() > 500, "{} functions were found; the search is broken", all.len());
    let median = all[all.len() / 2];
    assert!(median <= 10, "the median function has {median} lines");
}
