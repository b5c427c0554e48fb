//! `[state]`: where the state is kept and who may open its secrets. Judges words only; looks nothing up.

use serde::{Deserialize, Serialize};

use super::problem::{At, Problem, quoted};
use super::raw::RawState;

/// Where the state is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keeping {
    /// The blob; `None`: a local file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azblob: Option<Azblob>,
    /// Public keys (`age1…`) that can open the sealed secrets besides the user's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
}

impl Keeping {
    /// Whether it says nothing beyond the default.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A blob in Azure Storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Azblob {
    /// Storage account.
    pub account: String,
    /// Container.
    pub container: String,
    /// Name of the blob.
    pub key: String,
    /// Base URL, without the container; `None`: the account's own in the cloud of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// The account of the storage emulators; its key is public.
pub const EMULATOR: &str = "devstoreaccount1";

/// Azure's limit for the name of a blob; the names beside it (journal, backup) need room.
const LONGEST_KEY: usize = 900;

/// Judges the table; `name` is the environment's, for the default key.
pub(super) fn check(raw: &RawState, name: Option<&str>, problems: &mut Vec<Problem>) -> Option<Keeping> {
    let before = problems.len();
    let recipients = raw.recipients.iter().filter_map(|text| recipient(text, problems)).collect();
    let azblob = match raw.backend.as_ref().map(|b| (b, b.value.as_str())) {
        None | Some((_, "local")) => {
            refuse_unused(raw, problems);
            None
        }
        Some((given, "azblob")) => azblob(raw, given, name.unwrap_or("test"), problems),
        Some((given, other)) => {
            let problem = Problem::at(given.span, format!("{} is not a backend", quoted(other)))
                .label("unknown")
                .help("Write `local` (a file beside you) or `azblob` (a blob in Azure Storage, for teams and CI).");
            problems.push(problem);
            None
        }
    };
    (problems.len() == before).then_some(Keeping { azblob, recipients })
}

/// A local state has no account: whoever gives one expects the blob to be used.
fn refuse_unused(raw: &RawState, problems: &mut Vec<Problem>) {
    let given =
        [("account", &raw.account), ("container", &raw.container), ("key", &raw.key), ("endpoint", &raw.endpoint)];
    for (key, value) in given {
        let Some(value) = value else { continue };
        let problem = Problem::at(value.span, format!("`{key}` says nothing of a local state"))
            .label("not used")
            .help("Write `backend = \"azblob\"` above it, or remove the line.");
        problems.push(problem);
    }
}

fn azblob(raw: &RawState, backend: &At<String>, name: &str, problems: &mut Vec<Problem>) -> Option<Azblob> {
    let account = needed(raw.account.as_ref(), "account", "mystate4711", backend, problems);
    let container = needed(raw.container.as_ref(), "container", "privaml", backend, problems);
    let account = account.filter(|text| is_account(text, problems));
    let container = container.filter(|text| is_container(text, problems));
    let key = match &raw.key {
        None => Some(format!("{name}.privaml.state.json")),
        Some(key) => is_key(key, problems).then(|| key.value.clone()),
    };
    let endpoint = match &raw.endpoint {
        None => Some(account.filter(|a| a.value == EMULATOR).map(|a| format!("http://127.0.0.1:10000/{}", a.value))),
        Some(given) => endpoint(given, problems).map(Some),
    };
    Some(Azblob {
        account: account?.value.clone(),
        container: container?.value.clone(),
        key: key?,
        endpoint: endpoint?,
    })
}

fn needed<'a>(
    given: Option<&'a At<String>>,
    key: &str,
    example: &str,
    backend: &At<String>,
    problems: &mut Vec<Problem>,
) -> Option<&'a At<String>> {
    if given.is_none() {
        let problem = Problem::at(backend.span, format!("a state in a blob needs `{key}`"))
            .label(format!("`{key}` is missing"))
            .help(format!("Write it below, for example: `{key} = \"{example}\"`"));
        problems.push(problem);
    }
    given
}

/// Azure's rule: 3 to 24 lower-case letters and digits.
fn is_account(given: &At<String>, problems: &mut Vec<Problem>) -> bool {
    let text = &given.value;
    let sound = (3..=24).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !sound {
        let problem = Problem::at(given.span, format!("{} is not the name of a storage account", quoted(text)))
            .label("not an account")
            .help("It has 3 to 24 lower-case letters and digits: the bare name, no host and no URL.");
        problems.push(problem);
    }
    sound
}

/// Azure's rule: 3 to 63 lower-case letters, digits and single hyphens, a letter or digit at both ends.
fn is_container(given: &At<String>, problems: &mut Vec<Problem>) -> bool {
    let text = &given.value;
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = text.bytes().next().is_some_and(letters) && text.bytes().last().is_some_and(letters);
    let inside = text.bytes().all(|b| letters(b) || b == b'-') && !text.contains("--");
    let sound = (3..=63).contains(&text.len()) && ends && inside;
    if !sound {
        let problem = Problem::at(given.span, format!("{} is not the name of a container", quoted(text)))
            .label("not a container")
            .help("It has 3 to 63 lower-case letters, digits and single hyphens, a letter or digit at both ends.");
        problems.push(problem);
    }
    sound
}

/// Stricter than Azure: what needs no escapes in a URL, so that every tool shows the same name.
fn is_key(given: &At<String>, problems: &mut Vec<Problem>) -> bool {
    let text = &given.value;
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    let parts = text.split('/').all(|part| !part.is_empty() && !part.ends_with('.'));
    let sound = plain && parts && text.len() <= LONGEST_KEY;
    if !sound {
        let problem = Problem::at(given.span, format!("{} cannot be the name of the state's blob", quoted(text)))
            .label("not a blob name")
            .help("Use letters, digits, `-`, `_`, `.` and `/` between parts: `team/test.privaml.state.json`.");
        problems.push(problem);
    }
    sound
}

/// Encrypted, or on this machine: a state and a token must not cross a network in clear.
fn endpoint(given: &At<String>, problems: &mut Vec<Problem>) -> Option<String> {
    let text = given.value.trim_end_matches('/');
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let authority = rest.split('/').next().unwrap_or_default();
    let odd = rest.is_empty() || rest.contains(['?', '#', '@', ' ', '\\']) || authority.is_empty();
    let help = match scheme {
        "https" if !odd => return Some(text.to_owned()),
        "http" if !odd && is_loopback(authority) => return Some(text.to_owned()),
        "http" => "Plain http goes to a loopback address only (an emulator): write `https://…`.",
        _ => "Write the URL without the container, such as `https://mystate.blob.core.windows.net`.",
    };
    let problem = Problem::at(given.span, format!("{} is not an endpoint", quoted(&given.value)))
        .label("not an endpoint")
        .help(help);
    problems.push(problem);
    None
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn recipient(given: &At<String>, problems: &mut Vec<Problem>) -> Option<String> {
    if let Err(why) = given.value.parse::<age::x25519::Recipient>() {
        let secret = given.value.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-");
        let help = if secret {
            "This is a secret key. Remove it from the file, make a new one, and give its public key here.".to_owned()
        } else {
            format!("Write the public key from a colleague's identity.txt, `age1…` ({why}).")
        };
        let shown = if secret { "a secret key".to_owned() } else { quoted(&given.value) };
        let problem = Problem::at(given.span, format!("{shown} is not an age recipient")).label("not a public key");
        problems.push(problem.help(help));
        return None;
    }
    Some(given.value.clone())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn keeping(lines: &str) -> Keeping {
        let parsed = parse("f", &format!("name = \"ab\"\n[state]\n{lines}"));
        parsed.unwrap_or_else(|p| panic!("{}", p.render(100, false))).config.state
    }

    #[test]
    fn the_key_follows_the_environments_name() {
        let state = keeping("backend = \"azblob\"\naccount = \"acc\"\ncontainer = \"con\"");
        let expected = Azblob {
            account: "acc".to_owned(),
            container: "con".to_owned(),
            key: "ab.privaml.state.json".to_owned(),
            endpoint: None,
        };
        assert_eq!(state.azblob, Some(expected));
    }

    #[test]
    fn the_emulators_address_is_known() {
        let state = keeping("backend = \"azblob\"\naccount = \"devstoreaccount1\"\ncontainer = \"con\"");
        assert_eq!(state.azblob.unwrap().endpoint.as_deref(), Some("http://127.0.0.1:10000/devstoreaccount1"));
    }

    #[test]
    fn nothing_crosses_a_network_in_clear() {
        for (url, fine) in [
            ("https://x.blob.core.windows.net/", true),
            ("http://127.0.0.1:10000/devstoreaccount1", true),
            ("http://[::1]:10000/a", true),
            ("http://localhost/a", true),
            ("http://x.blob.core.windows.net", false),
            ("http://127.0.0.1.example/a", false),
            ("http://127.0.0.1@example.org/a", false),
            ("https://", false),
            ("x.blob.core.windows.net", false),
            ("https://h/?sig=1", false),
        ] {
            let text =
                format!("[state]\nbackend = \"azblob\"\naccount = \"acc\"\ncontainer = \"con\"\nendpoint = \"{url}\"");
            assert_eq!(parse("f", &text).is_ok(), fine, "{url}");
        }
    }

    #[test]
    fn a_local_state_leaves_no_trace_among_the_parameters() {
        let config = parse("f", "[state]\nbackend = \"local\"").unwrap().config;
        assert_eq!(config, super::super::defaults());
        assert!(serde_json::to_value(&config).unwrap().get("state").is_none());
    }

    #[test]
    fn a_secret_key_is_refused_and_not_repeated() {
        let secret = "AGE-SECRET-KEY-1QQQQ";
        let problems = parse("f", &format!("[state]\nrecipients = [\"{secret}\"]")).unwrap_err();
        assert!(problems.iter().all(|p| !p.message.contains(secret) && !p.help.contains(secret)));
    }
}
