//! The binary as a user meets it: an empty folder, the sandbox, wrong input. Every folder is its own; no network.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// An empty folder with its own keys.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn privaml(&self, args: &[&str]) -> Command {
        let mut command = Command::cargo_bin("privaml").unwrap();
        command.current_dir(self.path()).args(args).env_clear().env("PRIVAML_CONFIG_DIR", self.path().join("keys"));
        command
    }

    fn sandbox(&self, args: &[&str]) -> Command {
        let mut command = self.privaml(args);
        command.args(["--sandbox", "--sandbox-speed", "2000"]);
        command
    }

    fn out(mut command: Command) -> String {
        String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
    }

    fn world(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.path().join(".privaml/sandbox.json")).unwrap()).unwrap()
    }
}

#[test]
fn the_whole_life_of_an_environment() {
    let bench = Bench::new();
    bench.privaml(&["init"]).assert().success();
    bench.sandbox(&["apply"]).assert().success();
    let outputs: Value = serde_json::from_str(&Bench::out(bench.sandbox(&["output", "--json"]))).unwrap();
    for name in ["core_resource_group_name", "log_analytics_name", "keyvault_name", "jumpbox_user", "jumpbox_pass"] {
        assert!(outputs[name]["value"].is_string(), "{name} in {outputs}");
    }
    assert_eq!(outputs["jumpbox_pass"]["sensitive"], true);
    let password = outputs["jumpbox_pass"]["value"].as_str().unwrap();
    assert_eq!(password.len(), 16);
    let state = std::fs::read_to_string(bench.path().join("privaml.state.json")).unwrap();
    assert!(!state.contains(password), "the password stands in the state in clear");
    bench.sandbox(&["plan", "--detailed-exitcode"]).assert().code(0);

    let template = std::fs::read_to_string(bench.path().join("params.toml")).unwrap();
    let entry = "\n[[firewall.allow]]\nhost = \"pytorch.org\"\nreason = \"models\"\n";
    std::fs::write(bench.path().join("params.toml"), template + entry).unwrap();
    let plan = bench.sandbox(&["plan", "--detailed-exitcode"]).assert().code(2).get_output().stdout.clone();
    let plan = String::from_utf8(plan).unwrap();
    assert!(plan.contains("pytorch.org") && plan.contains("1 to update"), "{plan}");
    bench.sandbox(&["apply"]).assert().success();
    bench.sandbox(&["plan", "--detailed-exitcode"]).assert().code(0);

    bench.sandbox(&["destroy", "--yes"]).assert().success();
    assert_eq!(bench.world()["world"]["resources"], serde_json::json!({}));
}

#[test]
fn a_bad_file_touches_nothing() {
    let bench = Bench::new();
    std::fs::write(bench.path().join("params.toml"), "name = \"Test\"\nsise = 3\n").unwrap();
    let error = bench.sandbox(&["apply"]).assert().code(2).get_output().stderr.clone();
    let error = String::from_utf8(error).unwrap();
    assert!(error.contains("params.toml:1") && error.contains("sise"), "{error}");
    assert!(!bench.path().join("privaml.state.json").exists());
    assert!(!bench.path().join(".privaml").exists());
}

#[test]
fn a_sandbox_state_never_meets_a_real_cloud() {
    let bench = Bench::new();
    bench.sandbox(&["plan"]).assert().success();
    bench.sandbox(&["apply"]).assert().success();
    let error = bench.privaml(&["plan", "--cloud", "AzureCloud"]).assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8(error).unwrap().contains("another cloud"));
}

#[test]
fn output_without_a_state_says_what_to_do() {
    let bench = Bench::new();
    let error = bench.privaml(&["output"]).assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8(error).unwrap().contains("privaml apply"));
}

#[test]
fn a_killed_apply_is_continued_and_nothing_is_created_twice() {
    for after in [300, 900] {
        let bench = Bench::new();
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("privaml"))
            .current_dir(bench.path())
            .args(["apply", "--sandbox", "--sandbox-speed", "200"])
            .env("PRIVAML_CONFIG_DIR", bench.path().join("keys"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(after));
        child.kill().unwrap();
        child.wait().unwrap();
        let trace = bench.path().join("trace.ndjson");
        let before: Vec<String> = match std::fs::read(bench.path().join(".privaml/sandbox.json")) {
            Ok(bytes) => {
                let world: Value = serde_json::from_slice(&bytes).unwrap();
                world["world"]["resources"].as_object().unwrap().keys().cloned().collect()
            }
            Err(_) => Vec::new(),
        };
        bench.sandbox(&["apply", "--trace", trace.to_str().unwrap()]).assert().success();
        let sent = std::fs::read_to_string(&trace).unwrap();
        for line in sent.lines() {
            let exchange: Value = serde_json::from_str(line).unwrap();
            let url = exchange["url"].as_str().unwrap().to_ascii_lowercase();
            let again = exchange["method"] == "PUT" && before.iter().any(|id| url.contains(&format!("{id}?")));
            assert!(!again, "created a second time: {url}");
        }
        bench.sandbox(&["plan", "--detailed-exitcode"]).assert().code(0);
        bench.sandbox(&["destroy", "--yes"]).assert().success();
    }
}

#[test]
fn every_sample_applies_and_then_plans_nothing() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    for entry in
        std::fs::read_dir(samples).unwrap().flatten().filter(|e| e.path().extension().is_some_and(|x| x == "toml"))
    {
        let bench = Bench::new();
        let sample = entry.path();
        let sample = sample.to_str().unwrap();
        bench.sandbox(&["apply", "-c", sample]).assert().success();
        bench.sandbox(&["plan", "-c", sample, "--detailed-exitcode"]).assert().code(0);
        bench.sandbox(&["destroy", "--yes"]).assert().success();
        assert_eq!(bench.world()["world"]["resources"], serde_json::json!({}), "{sample}");
    }
}

#[test]
fn a_lost_state_is_made_again() {
    let bench = Bench::new();
    bench.sandbox(&["apply"]).assert().success();
    let outputs = |bench: &Bench| -> Value {
        serde_json::from_str(&Bench::out(bench.sandbox(&["output", "--json", "jumpbox_user"]))).unwrap()
    };
    let user = outputs(&bench);
    let password = Bench::out(bench.sandbox(&["output", "jumpbox_pass", "--raw"]));
    for file in ["privaml.state.json", "privaml.state.json.backup"] {
        let _ = std::fs::remove_file(bench.path().join(file));
    }
    let said = bench.sandbox(&["recover"]).assert().success().get_output().stderr.clone();
    assert!(String::from_utf8(said).unwrap().contains("Lost: the jumpbox password"));
    bench.sandbox(&["plan", "--detailed-exitcode"]).assert().code(0);
    assert_eq!(outputs(&bench), user);
    bench.sandbox(&["output", "jumpbox_pass", "--raw"]).assert().code(6);
    bench.sandbox(&["recover"]).assert().code(6);

    std::fs::remove_file(bench.path().join("privaml.state.json")).unwrap();
    bench.sandbox(&["recover"]).env("PRIVAML_JUMPBOX_PASSWORD", &password).assert().success();
    assert_eq!(Bench::out(bench.sandbox(&["output", "jumpbox_pass", "--raw"])), password);
    bench.sandbox(&["destroy", "--yes"]).assert().success();
    assert_eq!(bench.world()["world"]["resources"], serde_json::json!({}));
    bench.sandbox(&["recover"]).assert().code(2);
}

#[test]
fn explain_needs_no_account_and_no_state() {
    let bench = Bench::new();
    let text = Bench::out(bench.privaml(&["explain", "jumpbox", "https://evilgithub.com"]));
    assert!(text.contains("allow") && text.contains("any-github.com"), "{text}");
    let text = Bench::out(bench.privaml(&["explain", "internet", "storage", "--json"]));
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["verdict"], "deny");
    let members: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{members:?}");
    std::fs::write(bench.path().join("params.toml"), "profile = \"hardened\"\n").unwrap();
    let text = Bench::out(bench.privaml(&["explain", "jumpbox", "https://evilgithub.com"]));
    assert!(text.contains("deny"), "{text}");
}

#[test]
fn explain_judges_what_was_applied_last() {
    let bench = Bench::new();
    bench.sandbox(&["apply"]).assert().success();
    let text = Bench::out(bench.privaml(&["explain", "shared", "storage"]));
    assert!(text.contains("private address") && text.contains("allow"), "{text}");
}

#[test]
fn explain_answers_a_file_of_flows_in_order_and_names_a_bad_line() {
    let bench = Bench::new();
    let network = serde_json::json!([{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "a", "properties": {"addressPrefix": "10.0.1.0/24"}}]}}]);
    std::fs::write(bench.path().join("bodies.json"), network.to_string()).unwrap();
    let flows = r#"{"from": "a", "to": "example.com", "port": 443, "protocol": "https"}
{"from": "a", "to": "10.9.0.1", "port": 22, "protocol": "tcp"}
{"from": "gone", "to": "10.9.0.1", "port": 22, "protocol": "tcp"}
"#;
    std::fs::write(bench.path().join("flows.ndjson"), flows).unwrap();
    let args = ["explain", "--bodies", "bodies.json", "--flows", "flows.ndjson", "--json"];
    let out = Bench::out(bench.privaml(&args));
    let verdicts: Vec<String> = out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["verdict"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(verdicts, ["allow", "deny", "unknown"]);
    std::fs::write(bench.path().join("flows.ndjson"), format!("{flows}nonsense\n")).unwrap();
    let output = bench.privaml(&args).assert().code(2).get_output().clone();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("line 4"), "{said}");
}

#[test]
fn verify_proves_the_live_environment_and_names_a_leak() {
    let bench = Bench::new();
    bench.sandbox(&["apply"]).assert().success();
    bench.sandbox(&["verify"]).assert().code(0);
    bench.privaml(&["verify", "--offline"]).assert().code(0);
    bench.sandbox(&["verify", "--strict"]).assert().code(5);
    // Somebody turns a switch on.
    let path = bench.path().join(".privaml/sandbox.json");
    let mut saved = bench.world();
    let resources = saved["world"]["resources"].as_object_mut().unwrap();
    let (_, storage) =
        resources.iter_mut().find(|(_, one)| one["arm_type"] == "Microsoft.Storage/storageAccounts").unwrap();
    storage["body"]["properties"]["publicNetworkAccess"] = "Enabled".into();
    storage["body"]["properties"]["networkAcls"]["defaultAction"] = "Allow".into();
    std::fs::write(&path, saved.to_string()).unwrap();
    let text = bench.sandbox(&["verify"]).assert().code(5).get_output().stdout.clone();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("FAIL  no-public-path") && text.contains("stgtest"), "{text}");
    let report = bench.sandbox(&["verify", "--json"]).assert().code(5).get_output().stdout.clone();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert!(report["checks"].as_array().unwrap().iter().any(|check| check["state"] == "fail"));
}

#[test]
fn a_document_stands_alone_on_stdout_whatever_the_parameters_warn_of() {
    let bench = Bench::new();
    let warned = "[[firewall.allow]]\nhost = \"*github.com\"\nreason = \"code\"\n";
    std::fs::write(bench.path().join("params.toml"), warned).unwrap();
    let stream = bench.sandbox(&["apply", "--json"]).assert().success().get_output().clone();
    let lines: Vec<Value> =
        String::from_utf8(stream.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(
        lines.iter().any(|line| line["@level"] == "warning" || line["@level"] == "warn"),
        "no warning to test with"
    );
    for args in [
        &["verify", "-c", "params.toml"][..],
        &["output", "-c", "params.toml"],
        &["state", "list", "-c", "params.toml"],
        &["state", "show", "firewall.core", "-c", "params.toml"],
        &["export", "-c", "params.toml"],
        &["explain", "jumpbox", "https://example.com", "-c", "params.toml"],
    ] {
        let output = bench.privaml(args).arg("--json").assert().success().get_output().clone();
        let document = serde_json::from_slice::<Value>(&output.stdout);
        assert!(document.is_ok(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
        for line in String::from_utf8(output.stderr).unwrap().lines().filter(|line| line.starts_with('{')) {
            assert_eq!(serde_json::from_str::<Value>(line).unwrap()["type"], "diagnostic", "{args:?}");
        }
    }
    let output = bench.privaml(&["verify", "-c", "params.toml", "--json"]).assert().get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("\"type\":\"diagnostic\""), "the warning is lost");
}

#[test]
fn ranges_in_use_stay_and_another_file_is_judged_by_its_own() {
    let bench = Bench::new();
    bench.sandbox(&["apply"]).assert().success();
    let before = std::fs::read_to_string(bench.path().join(".privaml/sandbox.json")).unwrap();
    std::fs::write(bench.path().join("params.toml"), "vnet_address_space = \"10.40.0.0/21\"\n").unwrap();
    for verb in ["plan", "apply"] {
        let error = bench.sandbox(&[verb]).assert().code(2).get_output().stderr.clone();
        let error = String::from_utf8(error).unwrap();
        assert!(error.contains("AzureFirewallSubnet") && error.contains("fw-test"), "{error}");
    }
    let after = std::fs::read_to_string(bench.path().join(".privaml/sandbox.json")).unwrap();
    let resources = |text: &str| serde_json::from_str::<Value>(text).unwrap()["world"]["resources"].clone();
    assert_eq!(resources(&before), resources(&after));
    // The state's firewall stands in another range than this file's.
    let text = Bench::out(bench.privaml(&["verify", "-c", "params.toml"]));
    assert!(text.contains("No invariant is violated"), "{text}");
}

#[test]
fn a_file_of_bodies_is_read_as_tools_write_it_and_a_listing_proves_nothing() {
    let bench = Bench::new();
    let bodies: Vec<Value> = serde_json::from_str(&Bench::out(bench.privaml(&["export", "--format", "json"]))).unwrap();
    let file = bench.path().join("bodies.json");
    let judged = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let output = bench.privaml(&["verify", "--bodies", "bodies.json", "--json"]).output().unwrap();
        let report = serde_json::from_slice::<Value>(&output.stdout).unwrap();
        (output.status.code(), report)
    };
    let text = serde_json::to_string(&bodies).unwrap();
    let (code, plain) = judged(text.as_bytes());
    assert_eq!((code, &plain["checks"][0]["state"]), (Some(0), &Value::from("pass")));
    assert_eq!(judged(format!("\u{feff}{text}").as_bytes()).1, plain);
    assert_eq!(judged(format!("{{\"value\": {text}}}").as_bytes()).1, plain);
    let mut vault = bodies.iter().find(|body| body["type"] == "Microsoft.KeyVault/vaults").unwrap().clone();
    assert_eq!(judged(vault.to_string().as_bytes()).0, Some(0));
    vault["properties"] = serde_json::json!({"publicNetworkAccess": "Enabled"});
    assert_eq!(judged(vault.to_string().as_bytes()).0, Some(5));

    let hollow = |body: &Value| {
        let mut body = body.clone();
        body["properties"] = Value::Null;
        body
    };
    let partly: Vec<Value> = bodies
        .iter()
        .map(|b| if b["type"] == "Microsoft.Network/routeTables" { hollow(b) } else { b.clone() })
        .collect();
    let (_, report) = judged(serde_json::to_string(&partly).unwrap().as_bytes());
    assert_eq!(report["checks"][0]["state"], "unknown", "{}", report["checks"][0]);
    let listing: Vec<Value> = bodies.iter().map(hollow).collect();
    let (code, failure) = judged(serde_json::to_string(&listing).unwrap().as_bytes());
    assert_eq!(code, Some(2));
    assert!(failure["diagnostic"]["remedy"].as_str().unwrap().contains("--resource-group"), "{failure}");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (_, failure) = judged(&[&[0xff, 0xfe][..], &utf16].concat());
    assert_eq!(failure["diagnostic"]["remedy"], "save it as UTF-8");
}
