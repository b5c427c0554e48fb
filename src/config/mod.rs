//! TOML to checked values, with a place for every complaint. Only [`Config`] leaves this folder; it reads no file.

mod check;
pub mod host;
mod jumpbox;
mod keeping;
mod keys;
mod network;
mod page;
mod problem;
mod raw;
mod reader;
pub mod regions;
mod subnets;
mod syntax;
mod tags;
mod verify;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

pub use keeping::{Azblob, EMULATOR, Keeping};
pub use problem::{Problem, Problems, Severity, Span};
pub use subnets::{Error as CutError, cidrsubnets};
pub use verify::{Accept, Deny, Verify};

/// The commented file that `privaml init` writes: every parameter, its meaning and its default.
pub const TEMPLATE: &str = include_str!("../../config/params.toml");

const DEFAULT_RANGE: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 1, 0, 0), 22);
const DEFAULT_SIZE: &str = "Standard_D2s_v5";
const DEFAULT_IMAGE: &str = "MicrosoftWindowsDesktop:windows-11:win11-25h2-pro:latest";

/// A file that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The checked parameters.
    pub config: Config,
    /// What the user should know all the same; often nothing.
    pub warnings: Problems,
}

/// Checks a file's text; `file` is its name for messages. What the text leaves out has its default.
///
/// # Errors
/// Everything that is wrong with the text, warnings included, in the order of the file.
pub fn parse(file: &str, text: &str) -> Result<Parsed, Problems> {
    // Editors on Windows put a mark in front that no reader sees and no column counts.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (table, syntax) = syntax::read(text);
    let mut problems = Vec::new();
    let raw = raw::walk(text, &table, &mut problems);
    let config = check::check(&raw, &mut problems);
    problems.retain(|p| !syntax::doubtful(text, &syntax, p.span.start));
    problems.extend(syntax);
    let problems = Problems::new(file, text, problems);
    match config {
        Some(config) if !problems.has_errors() => Ok(Parsed { config, warnings: problems }),
        _ => Err(problems),
    }
}

/// The environment of an empty file.
///
/// # Panics
/// Never: a test parses the empty file.
#[must_use]
pub fn defaults() -> Config {
    parse("built-in defaults", "").map(|parsed| parsed.config).expect("an empty file has nothing wrong")
}

/// The checked parameters of one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// 1 to 4 lower-case letters and digits, a letter first.
    pub name: String,
    /// ARM's word for the region: `westeurope`.
    pub location: String,
    /// The network's range.
    pub vnet_address_space: Ipv4Net,
    /// What the environment opens.
    pub profile: Profile,
    /// The subnets' ranges, computed or given.
    pub network: Network,
    /// Hosts to allow beyond the profile's.
    pub allow: Vec<Allow>,
    /// The machine behind Bastion; `None`: without one.
    pub jumpbox: Option<Jumpbox>,
    /// Bastion; always there while there is a jumpbox.
    pub bastion: Bastion,
    /// Logs.
    pub monitor: Monitor,
    /// Who may use it.
    pub access: Access,
    /// The user's tags, on every resource that takes tags.
    pub tags: BTreeMap<String, String>,
    /// Where the state is kept; left out where it is a local file.
    #[serde(default, skip_serializing_if = "Keeping::is_default")]
    pub state: Keeping,
    /// What `verify` asks besides its own table, and what somebody agreed to; left out where it is nothing.
    #[serde(default, skip_serializing_if = "Verify::is_default")]
    pub verify: Verify,
}

/// Which data an environment is drawn from (`DESIGN` 3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The published allowlist and rules, plus what Azure ML needs today.
    Baseline,
    /// Without the entries that leak.
    Hardened,
}

/// The three subnets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// `AzureFirewallSubnet`, /26 or larger.
    pub firewall: Ipv4Net,
    /// `AzureBastionSubnet`, /26 or larger.
    pub bastion: Ipv4Net,
    /// `SharedSubnet`.
    pub shared: Ipv4Net,
}

/// A host the firewall lets through, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allow {
    /// A name, or `*.name`, or `*name` as Azure Firewall understands it.
    pub host: String,
    /// For the reviewer.
    pub reason: String,
}

/// The machine inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jumpbox {
    /// VM size.
    pub size: String,
    /// The image.
    pub image: Image,
    /// The administrator's name; `None`: drawn once.
    pub user: Option<String>,
    /// `Windows_Client` where the image is a client Windows; `None` for a server.
    pub license_type: Option<String>,
}

/// A marketplace image: `publisher:offer:sku:version`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `MicrosoftWindowsDesktop`
    pub publisher: String,
    /// `windows-11`
    pub offer: String,
    /// `win11-25h2-pro`
    pub sku: String,
    /// `latest`
    pub version: String,
}

/// Bastion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bastion {
    /// Its tier.
    pub sku: BastionSku,
}

/// Tiers that work on a subnet of ours (`Developer` has none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BastionSku {
    /// Two fixed instances, clipboard always on.
    Basic,
    /// Clipboard can be closed.
    Standard,
    /// Standard plus session recording.
    Premium,
}

impl BastionSku {
    /// Azure's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Standard => "Standard",
            Self::Premium => "Premium",
        }
    }
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitor {
    /// Days, 30 to 730.
    pub retention_days: u32,
    /// GB a day; `None`: no cap.
    pub daily_cap_gb: Option<u32>,
}

/// Object ids of people and groups in Entra ID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Users who may use the workspace and its storage.
    pub users: Vec<String>,
    /// Groups likewise.
    pub groups: Vec<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_template_says_exactly_the_defaults() {
        let template = parse("params.toml", TEMPLATE).unwrap();
        assert_eq!(template.config, defaults());
        assert!(template.warnings.is_empty());
    }

    #[test]
    fn the_defaults_are_those_of_the_terraform_project() {
        let config = defaults();
        assert_eq!((config.name.as_str(), config.location.as_str()), ("test", "westeurope"));
        assert_eq!(config.vnet_address_space.to_string(), "10.1.0.0/22");
        assert_eq!(config.network.firewall.to_string(), "10.1.1.0/24");
        assert_eq!(config.network.bastion.to_string(), "10.1.2.0/26");
        assert_eq!(config.network.shared.to_string(), "10.1.2.128/25");
        let jumpbox = config.jumpbox.unwrap();
        assert_eq!(jumpbox.license_type.as_deref(), Some("Windows_Client"));
        assert_eq!(jumpbox.user, None);
    }

    /// The template is the manual: a key that is not in it does not exist for its reader.
    #[test]
    fn the_template_names_every_key() {
        let words: Vec<&str> = TEMPLATE.split_whitespace().collect();
        for key in keys::ours() {
            let header = keys::header(if key.table.is_empty() { key.name } else { key.table });
            let here = words.contains(&key.name) || words.contains(&header.as_str());
            assert!(here, "config/params.toml does not mention `{}`", key.name);
        }
    }

    /// Whoever removes the `#` in front of the template's examples gets a file that is accepted.
    #[test]
    fn the_templates_examples_hold() {
        let open = TEMPLATE.lines().map(|line| match line.strip_prefix("# ") {
            Some(code) if code.starts_with('[') || code.contains(" = ") && !code.contains("  ") => code,
            Some(code) if code.contains(" = \"10.1.") => code,
            _ => line,
        });
        let text = open.collect::<Vec<_>>().join("\n");
        let parsed = parse("params.toml", &text).unwrap_or_else(|p| panic!("{}", p.render(100, false)));
        assert!(parsed.warnings.is_empty());
        assert_eq!((parsed.config.allow.len(), parsed.config.tags.len()), (2, 2));
        assert_eq!((parsed.config.verify.deny.len(), parsed.config.verify.accept.len()), (2, 1));
        assert_eq!(parsed.config.network, defaults().network);
        assert_eq!(parsed.config.monitor.daily_cap_gb, Some(5));
    }

    #[test]
    fn the_terraform_projects_spelling_is_accepted() {
        let config = parse("f", "VNET_address_space = \"10.9.0.0/16\"").unwrap().config;
        assert_eq!(config.vnet_address_space.to_string(), "10.9.0.0/16");
    }

    /// What is refused is in `tests/config/invalid`; these are the last values that are not.
    #[test]
    fn the_limits_themselves_are_accepted() {
        let tags: Vec<String> = (0..10).map(|n| format!("t{n} = \"{}\"", "x".repeat(256))).collect();
        let accepted = [
            "name = \"a\"".to_owned(),
            "name = \"ab12\"".to_owned(),
            "[monitor]\nretention_days = 30\ndaily_cap_gb = 1".to_owned(),
            "[monitor]\nretention_days = 730".to_owned(),
            "[jumpbox]\nuser = \"twenty-letters-long-\"".to_owned(),
            "[network]\nshared = \"10.1.3.0/27\"\nbastion = \"10.1.2.0/26\"".to_owned(),
            format!("[tags]\n{}", tags.join("\n")),
            format!("[tags]\n{} = \"x\"", "n".repeat(128)),
            format!("[[firewall.allow]]\nhost = \"{}.org\"\nreason = \"x\"", "h".repeat(63)),
        ];
        for text in accepted {
            let parsed = parse("f", &text).unwrap_or_else(|p| panic!("{}", p.render(100, false)));
            assert!(parsed.warnings.is_empty(), "{text}");
        }
        for text in ["[monitor]\nretention_days = 29", "[monitor]\nretention_days = 731"] {
            assert!(parse("f", text).is_err(), "{text}");
        }
        assert!(parse("f", &format!("[tags]\n{} = \"x\"", "n".repeat(129))).is_err());
        assert!(parse("f", &format!("[[firewall.allow]]\nhost = \"{}.org\"\nreason = \"x\"", "h".repeat(64))).is_err());
    }

    #[test]
    fn a_mark_at_the_start_is_not_counted() {
        let problems = parse("f", "\u{feff}name = 42").unwrap_err();
        assert_eq!(problems.iter().next().map(|p| (p.line, p.column)), Some((1, 8)));
        assert!(problems.render(80, false).contains("f:1:8"));
    }

    #[test]
    fn without_a_jumpbox_its_other_parameters_are_still_judged() {
        assert_eq!(parse("f", "[jumpbox]\nenabled = false").unwrap().config.jumpbox, None);
        assert_eq!(parse("f", "[jumpbox]\nenabled = false\nsize = \"big\"").unwrap_err().len(), 1);
    }

    #[test]
    fn a_server_image_has_no_client_licence() {
        let text = "[jumpbox]\nimage = \"MicrosoftWindowsServer:WindowsServer:2025-datacenter-g2:latest\"";
        assert_eq!(parse("f", text).unwrap().config.jumpbox.unwrap().license_type, None);
    }

    #[test]
    fn everything_wrong_is_said_at_once_in_the_order_of_the_file() {
        let text =
            "nmae = \"x\"\nlocation = 5\nprofile = open\n[bastion]\nsku = \"basic\"\n[monitor]\nretention_days = 7\n";
        let problems = parse("f", text).unwrap_err();
        let lines: Vec<usize> = problems.iter().map(|p| p.line).collect();
        assert_eq!(lines, [1, 2, 3, 5, 7]);
        assert!(problems.iter().all(|p| !p.help.is_empty()));
    }

    #[test]
    fn a_warning_alone_does_not_refuse() {
        let text = "[[firewall.allow]]\nhost = \"*github.com\"\nreason = \"code\"\n";
        let parsed = parse("f", text).unwrap();
        assert_eq!(parsed.config.allow[0].host, "*github.com");
        assert_eq!((parsed.warnings.len(), parsed.warnings.has_errors()), (1, false));
    }

    fn survives(text: &str) {
        let problems = match parse("f", text) {
            Ok(parsed) => parsed.warnings,
            Err(problems) => {
                assert!(problems.has_errors(), "refused without saying why: {text:?}");
                problems
            }
        };
        assert!(problems.iter().all(|p| p.line > 0 && p.column > 0));
        assert!(problems.render(80, false).ends_with("in f.\n") || problems.len() > 25 || problems.is_empty());
        assert_eq!(problems.as_json().as_array().map(Vec::len), Some(problems.len()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            survives(&text);
        }

        #[test]
        fn nothing_like_toml_panics(text in r#"([\[\]{}=."'#\n a-z0-9,/:*\\ü\r\t-]|name|tags|\[network\]|\[\[firewall.allow\]\]){0,60}"#) {
            survives(&text);
        }

        #[test]
        fn no_value_of_any_key_panics(key in 0..keys::KEYS.len(), value in "(?s).{0,30}", number: i64, kind in 0..5) {
            let key = keys::KEYS[key];
            let value = match kind {
                0 => serde_json::to_string(&value).unwrap(),
                1 => number.to_string(),
                2 => format!("[{}]", serde_json::to_string(&value).unwrap()),
                3 => "{ host = 1 }".to_owned(),
                _ => value,
            };
            let line = format!("{} = {value}", key.name);
            survives(&match key.table {
                "" => line,
                table => format!("{}\n{line}", keys::header(table)),
            });
        }

        #[test]
        fn no_mutation_of_the_template_panics(cuts in prop::collection::vec((0..TEMPLATE.len(), 0..40_usize, ".{0,6}"), 1..6)) {
            let mut text = TEMPLATE.to_owned();
            for (at, len, new) in cuts {
                let at = at.min(text.len());
                let end = (at + len).min(text.len());
                if text.is_char_boundary(at) && text.is_char_boundary(end) {
                    text.replace_range(at..end, &new);
                }
            }
            survives(&text);
        }
    }
}
