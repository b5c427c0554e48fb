//! `privaml verify` as a user or a pipeline meets it: shapes, exit codes, and leaks made behind its back. Every folder is
//! its own; no network.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn privaml(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("privaml").unwrap();
    command.current_dir(folder).args(args).env_clear().env("PRIVAML_CONFIG_DIR", folder.join("keys"));
    command
}

/// Exit code and answer.
fn said(mut command: Command) -> (i32, String) {
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_format_says_the_same_and_ends_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let open = r#"[{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/x", "properties": {}}]"#;
    std::fs::write(folder.path().join("open.json"), open).unwrap();
    let verify =
        |more: &[&str]| said(privaml(folder.path(), &[&["verify", "--bodies", "open.json"][..], more].concat()));
    let (code, table) = verify(&[]);
    assert_eq!((code, table.contains("FAIL  no-public-path")), (5, true));
    for (args, inside) in [
        (&["--json"][..], "\"state\": \"fail\""),
        (&["--format", "json"], "\"state\": \"fail\""),
        (&["--format", "sarif"], "\"level\": \"error\""),
        (&["--format", "junit"], "<failure message=\"violated: anybody reaches x"),
    ] {
        let (code, text) = verify(args);
        assert_eq!((code, text.contains(inside)), (5, true), "{args:?} {text}");
    }
}

#[test]
fn warnings_fail_only_when_strict_and_an_accepted_one_never() {
    let folder = tempfile::tempdir().unwrap();
    let params = folder.path().join("params.toml");
    std::fs::write(&params, "").unwrap();
    let verify = |more: &[&str]| said(privaml(folder.path(), &[&["verify"][..], more].concat()));
    assert_eq!((verify(&[]).0, verify(&["--strict"]).0), (0, 5));
    let report: Value = serde_json::from_str(&verify(&["--json"]).1).unwrap();
    let open = report["findings"].as_array().unwrap().iter().filter(|one| one["weight"] == "warning");
    let accept = |until: &str| -> String {
        open.clone()
            .map(|one| format!("[[verify.accept]]\nfinding = {}\nreason = \"known\"\nuntil = \"{until}\"\n", one["id"]))
            .collect()
    };
    std::fs::write(&params, accept("9999-12-31")).unwrap();
    let (code, table) = verify(&["--strict"]);
    assert!(code == 0 && table.contains("accepted until 9999-12-31: known"), "{code} {table}");
    assert!(verify(&["--format", "sarif"]).1.contains("known (until 9999-12-31)"));
    assert!(verify(&["--format", "junit"]).1.contains("accepted until 9999-12-31: known"));
    std::fs::write(&params, accept("2020-01-01")).unwrap();
    let (code, table) = verify(&["--strict"]);
    assert!(code == 5 && table.contains("was accepted until 2020-01-01, no longer: known"), "{code} {table}");
}
