//! The binary against an ARM behind a socket, with a client secret: the way that a real cloud is reached. The ARM is the
//! sandbox's server in a process of its own, so killing the client leaves it alone.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Where the server's world stands, and how to reach it.
pub(super) struct Arm {
    process: Child,
    folder: TempDir,
    url: String,
    subscription: String,
    tenant: String,
}

impl Arm {
    pub(super) fn serve(speed: &str, tls: bool) -> Self {
        Self::serve_in(tempfile::tempdir().unwrap(), speed, tls)
    }

    fn serve_in(folder: TempDir, speed: &str, tls: bool) -> Self {
        let mut command = binary(folder.path());
        command.args(["sandbox", "serve", "--port", "0", "--sandbox-speed", speed]);
        if tls {
            command.args(["--tls-ca", "ca.pem"]);
        }
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let line = |from: &mut dyn std::io::Read| {
            let mut text = String::new();
            BufReader::new(from).read_line(&mut text).unwrap();
            text.trim().to_owned()
        };
        let url = line(process.stdout.as_mut().unwrap());
        let about = line(process.stderr.as_mut().unwrap());
        let word = |after: &str| {
            let rest = about.split_once(after).unwrap().1;
            rest.split([',', ';']).next().unwrap().to_owned()
        };
        Self { url, subscription: word("Subscription "), tenant: word("tenant "), process, folder }
    }

    /// A command in `folder` that signs in with a client secret.
    pub(super) fn client(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = binary(folder);
        command
            .args(args)
            .env("AZURE_TENANT_ID", &self.tenant)
            .env("AZURE_CLIENT_ID", "11111111-1111-1111-1111-111111111111")
            .env("AZURE_CLIENT_SECRET", "secret");
        if self.url.starts_with("https") {
            command.env("SSL_CERT_FILE", self.folder.path().join("ca.pem"));
        }
        command
    }

    pub(super) fn apply(&self, folder: &Path, more: &[&str]) -> Command {
        let args = ["apply", "--yes", "--cloud", &self.url, "--subscription", &self.subscription];
        self.client(folder, &[&args, more].concat())
    }

    /// The world as it was last written down.
    pub(super) fn world(&self) -> Value {
        let text = std::fs::read_to_string(self.folder.path().join(".privaml/sandbox.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Arm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn binary(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("privaml"));
    command.current_dir(folder).env_clear().env("PRIVAML_CONFIG_DIR", folder.join("keys")).stdin(Stdio::null());
    command
}

pub(super) fn done(mut command: Command) -> Output {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?} ended with {}: {text}", command.get_args(), output.status);
    output
}

/// PUTs of a trace, by path.
pub(super) fn puts(trace: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(trace).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let puts = lines.filter(|line| line["method"] == "PUT" && line["status"].as_u64().is_some_and(|s| s < 300));
    puts.map(|line| line["url"].as_str().unwrap().to_ascii_lowercase()).collect()
}

#[test]
fn over_https_with_a_client_secret() {
    let arm = Arm::serve("400", true);
    let home = tempfile::tempdir().unwrap();
    done(arm.apply(home.path(), &[]));
    done(arm.client(home.path(), &["plan", "--detailed-exitcode"]));
    // The cloud's own names are known without asking it.
    done(arm.client(home.path(), &["verify", "--offline"]));
    done(arm.client(home.path(), &["verify"]));
    let stranger = arm.client(home.path(), &["plan", "--sandbox"]).output().unwrap();
    assert_eq!(stranger.status.code(), Some(2), "a real state met the sandbox");
    done(arm.client(home.path(), &["destroy", "--yes"]));
}

#[test]
fn an_authority_that_nobody_vouches_for_is_refused() {
    let arm = Arm::serve("400", true);
    let home = tempfile::tempdir().unwrap();
    let mut command = arm.apply(home.path(), &[]);
    let output = command.env_remove("SSL_CERT_FILE").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("SSL_CERT_FILE"), "{text}");
}

#[test]
fn without_a_terminal_consent_must_be_given() {
    let arm = Arm::serve("400", false);
    let home = tempfile::tempdir().unwrap();
    let args = ["apply", "--cloud", &arm.url, "--subscription", &arm.subscription];
    let output = arm.client(home.path(), &args).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--yes"));
    assert_eq!(arm.world()["world"]["resources"], json!({}), "something was written");
}

#[test]
fn a_client_killed_anywhere_goes_on_and_creates_nothing_twice() {
    for (at, moment) in [150, 700, 1500, 2600].into_iter().enumerate() {
        let arm = Arm::serve("400", false);
        let home = tempfile::tempdir().unwrap();
        let mut killed = arm.apply(home.path(), &["--trace", "first.ndjson"]);
        let mut child = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        done(arm.apply(home.path(), &["--trace", "second.ndjson"]));
        let first = puts(&home.path().join("first.ndjson"));
        let second = puts(&home.path().join("second.ndjson"));
        assert!(second.iter().all(|url| !first.contains(url)), "moment {at}: created twice");
        done(arm.client(home.path(), &["plan", "--detailed-exitcode"]));
        let mut killed = arm.client(home.path(), &["destroy", "--yes"]);
        let mut child = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        done(arm.client(home.path(), &["destroy", "--yes"]));
        let again = done(arm.client(home.path(), &["destroy", "--yes"]));
        assert!(String::from_utf8_lossy(&again.stdout).contains("Nothing to destroy"));
    }
}

/// The route is planned with the first usable address of the firewall's subnet; here somebody holds it already.
#[test]
fn a_firewall_at_another_address_gets_its_route_in_the_same_run() {
    let home = tempfile::tempdir().unwrap();
    let sandbox = ["--sandbox", "--sandbox-speed", "2000"];
    let run = |args: &[&str]| {
        let mut command = binary(home.path());
        command.args(args).args(sandbox);
        done(command)
    };
    run(&["plan"]);
    let state: Value =
        serde_json::from_str(&std::fs::read_to_string(home.path().join("privaml.state.json")).unwrap()).unwrap();
    let path = home.path().join(".privaml/sandbox.json");
    privaml::sandbox::Sandbox::open(&path, 1.0).unwrap().save().unwrap();
    let mut saved: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let name = format!("test{}", find(&state, "suffix").as_str().unwrap());
    let subnet = format!(
        "/subscriptions/{}/resourcegroups/rg-{name}/providers/microsoft.network/virtualnetworks/vnet-{name}/subnets/\
         azurefirewallsubnet",
        saved["world"]["subscription"].as_str().unwrap()
    );
    saved["world"]["leases"] = json!({ subnet: {"10.1.1.4": "somebody"} });
    std::fs::write(&path, saved.to_string()).unwrap();

    let output = run(&["apply"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("another address"));
    let outputs: Value = serde_json::from_slice(&run(&["output", "--json"]).stdout).unwrap();
    assert_eq!(outputs["firewall_private_ip"]["value"], "10.1.1.5");
    run(&["plan", "--detailed-exitcode"]);
    let world: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let table = world["world"]["resources"].as_object().unwrap().iter().find(|(id, _)| id.contains("/routetables/"));
    assert!(table.unwrap().1.to_string().contains("10.1.1.5"), "{table:?}");
}

/// The first member of that name, however deep.
fn find<'a>(value: &'a Value, name: &str) -> &'a Value {
    fn search<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
        let map = value.as_object()?;
        map.get(name).or_else(|| map.values().find_map(|member| search(member, name)))
    }
    search(value, name).unwrap()
}
