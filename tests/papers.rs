//! What is handed out of an environment, seen from outside: the exported template and bodies, the picture, the report.

use std::collections::{BTreeMap, BTreeSet};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// The samples with which everything must work, and one that says nothing.
const SAMPLES: [&str; 6] = ["everything", "hardened", "minimal", "no-jumpbox", "team", ""];

fn privaml(folder: &TempDir, sample: &str, args: &[&str]) -> String {
    let mut command = Command::cargo_bin("privaml").unwrap();
    command.current_dir(folder.path()).args(args).env_clear().env("PRIVAML_CONFIG_DIR", folder.path().join("keys"));
    if !sample.is_empty() {
        let file = format!("{}/samples/{sample}.toml", env!("CARGO_MANIFEST_DIR"));
        command.args(["-c", &file]);
    }
    // A file of bodies is judged without parameters, so more may be a violation (5).
    let codes = if args.contains(&"--bodies") { vec![0, 5] } else { vec![0] };
    String::from_utf8(command.assert().code(codes).get_output().stdout.clone()).unwrap()
}

fn json(folder: &TempDir, sample: &str, args: &[&str]) -> Value {
    serde_json::from_str(&privaml(folder, sample, args)).unwrap()
}

/// `Type/sub` and `name/sub` of an id below its last provider, in lower case.
fn place(id: &str) -> (String, String) {
    let Some((_, tail)) = id.rsplit_once("/providers/") else {
        return ("microsoft.resources/resourcegroups".to_owned(), id.rsplit('/').next().unwrap().to_lowercase());
    };
    let segments: Vec<&str> = tail.split('/').collect();
    let types = segments[1..].iter().step_by(2).fold(segments[0].to_owned(), |all, one| format!("{all}/{one}"));
    let names: Vec<&str> = segments[2..].iter().step_by(2).copied().collect();
    (types.to_lowercase(), names.join("/").to_lowercase())
}

/// Every resource of a template, the one in the nested deployment included.
fn resources(template: &Value) -> Vec<&Value> {
    let mut all = Vec::new();
    for one in template["resources"].as_array().unwrap() {
        match one.pointer("/properties/template/resources") {
            Some(inner) => all.extend(inner.as_array().unwrap()),
            None => all.push(one),
        }
    }
    all
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("{member} of {value}"))
}

/// `[resourceId('A/b', 'c')]` → what it stands for, as (type, name).
fn meant(expression: &str) -> (String, String) {
    let inner = expression.rsplit_once('(').unwrap().1;
    let nested = expression.matches('(').count() > 1;
    // Of an extension, the arguments after the inner call.
    let arguments = if nested { expression.rsplit_once("), ").unwrap().1 } else { inner };
    let mut texts =
        arguments.trim_end_matches([')', ']']).split(", ").map(|text| text.trim_matches('\'').to_lowercase());
    (texts.next().unwrap(), texts.collect::<Vec<_>>().join("/"))
}

#[test]
fn every_planned_resource_is_in_the_template_exactly_once_and_needs_resolve() {
    let folder = tempfile::tempdir().unwrap();
    for sample in SAMPLES {
        let template = json(&folder, sample, &["export"]);
        let bodies = json(&folder, sample, &["export", "--format", "json"]);
        let mut count: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for one in resources(&template) {
            let scope = one["scope"].as_str().map(|scope| meant(scope).1).unwrap_or_default();
            let key = (text(one, "type").to_lowercase(), text(one, "name").to_lowercase(), scope);
            *count.entry(key).or_default() += 1;
            assert!(!text(one, "apiVersion").is_empty());
        }
        assert!(count.values().all(|n| *n == 1), "{sample}: twice in the template: {count:?}");
        for body in bodies.as_array().unwrap() {
            let (arm_type, name) = place(text(body, "id"));
            let outer = text(body, "id").rsplit_once("/providers/").map_or("", |(outer, _)| outer);
            let scope = if outer.contains("/providers/") { place(outer).1 } else { String::new() };
            let found = count.remove(&(arm_type.clone(), name.clone(), scope.clone()));
            assert_eq!(found, Some(1), "{sample}: {arm_type} {name} {scope} in the template");
        }
        assert!(count.is_empty(), "{sample}: not planned: {count:?}");
        let there: BTreeSet<(String, String)> = resources(&template)
            .iter()
            .map(|one| (text(one, "type").to_lowercase(), text(one, "name").to_lowercase()))
            .collect();
        for one in resources(&template) {
            for need in one["dependsOn"].as_array().into_iter().flatten() {
                let need = meant(need.as_str().unwrap());
                assert!(there.contains(&need), "{sample}: {} depends on {need:?}", one["name"]);
            }
        }
    }
}

#[test]
fn exports_are_the_same_each_time_and_hold_no_placeholder() {
    let folder = tempfile::tempdir().unwrap();
    for sample in SAMPLES {
        let template = privaml(&folder, sample, &["export"]);
        assert_eq!(template, privaml(&folder, sample, &["export"]));
        for mark in ["secret:", "late:"] {
            assert!(!template.contains(mark), "{sample} holds {mark}");
        }
        let parameters = serde_json::from_str::<Value>(&template).unwrap()["parameters"].clone();
        let has = sample != "no-jumpbox";
        assert_eq!(parameters.get("jumpboxPassword").is_some(), has, "{sample}: {parameters}");
    }
}

#[test]
fn no_secret_of_a_made_environment_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    privaml(&folder, "", &["apply", "--sandbox", "--sandbox-speed", "2000"]);
    let password = privaml(&folder, "", &["output", "jumpbox_pass", "--raw"]).trim().to_owned();
    assert_eq!(password.len(), 16);
    for args in [&["export"][..], &["export", "--format", "json"], &["export", "-o", "out.json"]] {
        let mut said = privaml(&folder, "", args);
        said += &std::fs::read_to_string(folder.path().join("out.json")).unwrap_or_default();
        assert!(said.len() > 10_000 && !said.contains(&password), "{args:?} holds the password");
        assert!(!said.contains("age-encryption"), "{args:?} holds what seals it");
    }
}

/// A verification without what depends on the parameters: the file of bodies comes without them.
fn verdicts(folder: &TempDir, sample: &str, args: &[&str]) -> (Value, Value, BTreeMap<String, Value>) {
    let report = json(folder, sample, &[&["verify", "--json"], args].concat());
    let checks = report["checks"].as_array().unwrap().iter();
    let by_parameters = ["azure-ml-works", "closed-flows", "no-public-path"];
    let checks = checks.filter(|check| !by_parameters.contains(&text(check, "name")));
    let checks = checks.map(|check| (text(check, "name").to_owned(), check.clone())).collect();
    let mut findings = report["findings"].clone();
    for finding in findings.as_array_mut().into_iter().flatten() {
        finding.as_object_mut().unwrap().remove("accepted");
    }
    (findings, report["notes"].clone(), checks)
}

#[test]
fn exported_bodies_are_judged_like_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    for sample in SAMPLES.into_iter().filter(|sample| !sample.is_empty()) {
        privaml(&folder, sample, &["export", "--format", "json", "-o", "bodies.json"]);
        let of_plan = verdicts(&folder, sample, &[]);
        let of_file = verdicts(&folder, "", &["--bodies", "bodies.json"]);
        assert_eq!(of_plan.0, of_file.0, "{sample}: findings");
        assert_eq!(of_plan.1, of_file.1, "{sample}: notes");
        let compared = of_file.2.iter().filter(|(_, check)| check["state"] != "skipped");
        let mut count = 0;
        for (name, check) in compared {
            assert_eq!(of_plan.2.get(name), Some(check), "{sample}: {name}");
            count += 1;
        }
        assert!(count >= 5, "{sample}: {count} checks were compared");
    }
}

#[test]
fn pictures_are_drawn_in_three_forms_from_every_sample() {
    let folder = tempfile::tempdir().unwrap();
    for sample in SAMPLES {
        let svg = privaml(&folder, sample, &["graph"]);
        assert!(svg.starts_with("<svg") && svg.contains("role=\"img\"") && svg.contains("prefers-color-scheme"));
        assert!(svg.contains("from the Internet to services: closed") && !svg.contains("http://www.w3.org/1999/xlink"));
        assert_eq!(svg.contains(">Bastion</text>"), sample != "no-jumpbox", "{sample}");
        let dot = privaml(&folder, sample, &["graph", "--format", "dot"]);
        assert!(dot.starts_with("digraph") && dot.matches('{').count() == dot.matches('}').count());
        let mermaid = privaml(&folder, sample, &["graph", "--format", "mermaid"]);
        assert!(mermaid.contains("flowchart LR") && mermaid.contains("-.-x"), "{mermaid}");
    }
}

#[test]
fn the_report_of_a_made_environment_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    privaml(&folder, "", &["apply", "--sandbox", "--sandbox-speed", "2000"]);
    let password = privaml(&folder, "", &["output", "jumpbox_pass", "--raw"]).trim().to_owned();
    privaml(&folder, "", &["export", "--format", "json", "-o", "bodies.json"]);
    let bodies: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("bodies.json")).unwrap()).unwrap();
    for args in [&["report"][..], &["report", "--offline"]] {
        privaml(&folder, "", args);
        let page = std::fs::read_to_string(folder.path().join("privaml-report.html")).unwrap();
        for body in bodies.as_array().unwrap() {
            assert!(page.contains(text(body, "id")), "{args:?}: {} is not in the inventory", body["id"]);
        }
        for said in ["no-public-path", "EXF001", "Every storage account of every tenant", "role_assignment.", "0.1.0"] {
            assert!(page.contains(said), "{args:?}: {said} is not in the page");
        }
        assert!(!page.contains(&password), "{args:?}");
        // Live, what Azure made by itself is listed too.
        assert_eq!(page.contains("not in the state"), args.len() == 1, "{args:?}");
    }
}
