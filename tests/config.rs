//! Parameter files as a user meets them: every sample is accepted, and every file of `config/invalid` is refused with a
//! report that is kept beside it. Rules are tested in `src/config`.

use std::fs;
use std::path::{Path, PathBuf};

use privaml::config;

/// The `.toml` files of a folder of the repository, by name.
fn files(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found: Vec<(String, PathBuf)> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .map(|path| (path.file_stem().expect("a file has a name").to_string_lossy().into_owned(), path))
        .collect();
    found.sort();
    found
}

#[test]
fn every_sample_is_accepted_without_a_warning() {
    let samples = files("samples");
    assert!(samples.len() >= 5, "samples are missing");
    for (name, path) in samples {
        let text = fs::read_to_string(path).unwrap();
        let parsed = config::parse(&name, &text).unwrap_or_else(|p| panic!("{}", p.render(100, false)));
        assert!(parsed.warnings.is_empty(), "{}", parsed.warnings.render(100, false));
    }
}

/// The samples show different things; two equal ones would mean that a parameter is ignored.
#[test]
fn samples_differ_from_the_defaults_and_from_each_other() {
    let mut seen = vec![config::defaults()];
    for (name, path) in files("samples") {
        let config = config::parse(&name, &fs::read_to_string(path).unwrap()).unwrap().config;
        assert!(!seen.contains(&config), "{name}");
        seen.push(config);
    }
}

#[test]
fn every_invalid_file_is_refused_with_its_report() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("config/reports");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let invalid = files("tests/config/invalid");
    assert!(invalid.len() >= 30, "invalid files are missing");
    for (name, path) in invalid {
        let text = fs::read_to_string(path).unwrap();
        let problems = config::parse("params.toml", &text).expect_err(&name);
        assert!(problems.iter().all(|p| !p.help.is_empty()), "{name}: a problem without a remedy");
        settings.bind(|| insta::assert_snapshot!(name.as_str(), problems.render(100, false)));
    }
}

/// Colour adds escapes, never words.
#[test]
fn colour_changes_no_word() {
    for (name, path) in files("tests/config/invalid") {
        let problems = config::parse("params.toml", &fs::read_to_string(path).unwrap()).expect_err(&name);
        let coloured = problems.render(100, true);
        assert!(coloured.contains('\u{1b}'), "{name}");
        let plain: String = coloured.split('\u{1b}').enumerate().map(|(i, part)| bare(i, part)).collect();
        assert_eq!(plain, problems.render(100, false), "{name}");
    }
}

/// A piece of text after an escape character, without the rest of the escape.
fn bare(index: usize, part: &str) -> &str {
    if index == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) }
}
