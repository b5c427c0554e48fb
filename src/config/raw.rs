//! The file as written: every value with its place, under a known key. Judges no value.

use toml::de::DeTable;

use super::problem::{At, Problem, Span};
use super::reader::Reader;

type Text = Option<At<String>>;

/// The parameters as they were given; what was not given stays empty.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) name: Text,
    pub(super) location: Text,
    pub(super) vnet_address_space: Text,
    pub(super) profile: Text,
    pub(super) network: RawNetwork,
    pub(super) allow: Vec<RawAllow>,
    pub(super) jumpbox: RawJumpbox,
    pub(super) bastion_sku: Text,
    pub(super) monitor: RawMonitor,
    pub(super) users: Vec<At<String>>,
    pub(super) groups: Vec<At<String>>,
    pub(super) tags: Vec<(At<String>, At<String>)>,
    pub(super) state: RawState,
    pub(super) deny: Vec<RawDeny>,
    pub(super) accept: Vec<RawAccept>,
}

/// `[network]`
#[derive(Debug, Default)]
pub(super) struct RawNetwork {
    pub(super) firewall: Text,
    pub(super) bastion: Text,
    pub(super) shared: Text,
}

/// One `[[firewall.allow]]`.
#[derive(Debug)]
pub(super) struct RawAllow {
    pub(super) host: Text,
    pub(super) reason: Text,
}

/// One `[[verify.deny]]`.
#[derive(Debug)]
pub(super) struct RawDeny {
    pub(super) from: Text,
    pub(super) to: Text,
    pub(super) port: Option<At<i64>>,
    pub(super) protocol: Text,
    pub(super) why: Text,
}

/// One `[[verify.accept]]`.
#[derive(Debug)]
pub(super) struct RawAccept {
    pub(super) finding: Text,
    pub(super) reason: Text,
    pub(super) until: Text,
}

/// `[jumpbox]`
#[derive(Debug, Default)]
pub(super) struct RawJumpbox {
    pub(super) enabled: Option<At<bool>>,
    pub(super) size: Text,
    pub(super) image: Text,
    pub(super) user: Text,
    pub(super) license_type: Text,
}

/// `[monitor]`
#[derive(Debug, Default)]
pub(super) struct RawMonitor {
    pub(super) retention_days: Option<At<i64>>,
    pub(super) daily_cap_gb: Option<At<i64>>,
}

/// `[state]`
#[derive(Debug, Default)]
pub(super) struct RawState {
    pub(super) backend: Text,
    pub(super) account: Text,
    pub(super) container: Text,
    pub(super) key: Text,
    pub(super) endpoint: Text,
    pub(super) recipients: Vec<At<String>>,
}

/// Takes the whole file apart; whatever does not belong is a problem.
pub(super) fn walk(text: &str, root: &DeTable<'_>, problems: &mut Vec<Problem>) -> Raw {
    let mut top = Reader { text, table: root, path: "", span: Span::default(), problems };
    top.refuse_unknown();
    let mut raw = Raw {
        name: top.text("name"),
        location: top.text("location"),
        vnet_address_space: address_space(&mut top),
        profile: top.text("profile"),
        ..Raw::default()
    };
    top.enter("network", |t| {
        raw.network = RawNetwork { firewall: t.text("firewall"), bastion: t.text("bastion"), shared: t.text("shared") };
    });
    top.enter("firewall", |t| raw.allow = allow(t));
    top.enter("jumpbox", |t| {
        raw.jumpbox = RawJumpbox {
            enabled: t.boolean("enabled"),
            size: t.text("size"),
            image: t.text("image"),
            user: t.text("user"),
            license_type: t.text("license_type"),
        };
    });
    top.enter("bastion", |t| raw.bastion_sku = t.text("sku"));
    top.enter("monitor", |t| {
        raw.monitor =
            RawMonitor { retention_days: t.integer("retention_days"), daily_cap_gb: t.integer("daily_cap_gb") };
    });
    top.enter("access", |t| (raw.users, raw.groups) = (t.texts("users"), t.texts("groups")));
    top.enter("tags", |t| raw.tags = t.pairs());
    top.enter("state", |t| raw.state = state(t));
    top.enter("verify", |t| (raw.deny, raw.accept) = (deny(t), accept(t)));
    raw
}

/// The Terraform project spelled it `VNET_address_space`; both spellings are welcome, not both at once.
fn address_space(top: &mut Reader) -> Text {
    let ours = top.text("vnet_address_space");
    let theirs = top.text("VNET_address_space");
    if let (Some(ours), Some(theirs)) = (top.key("vnet_address_space"), top.key("VNET_address_space")) {
        let (first, second) = if ours < theirs { (ours, theirs) } else { (theirs, ours) };
        let problem = Problem::at(second, "the address space is given twice, in two spellings")
            .label("again here")
            .also(first, "first here")
            .help("Keep `vnet_address_space`.");
        top.problems.push(problem);
    }
    ours.or(theirs)
}

fn allow(firewall: &mut Reader) -> Vec<RawAllow> {
    let mut entries = Vec::new();
    firewall.each("allow", "firewall.allow", |entry| {
        entries.push(RawAllow {
            host: entry.required("host", "Say which host the firewall lets through"),
            reason: entry.required("reason", "Say why, for whoever reviews the allowlist"),
        });
    });
    entries
}

fn deny(verify: &mut Reader) -> Vec<RawDeny> {
    let mut entries = Vec::new();
    verify.each("deny", "verify.deny", |entry| {
        entries.push(RawDeny {
            from: entry.required("from", "Say where the flow starts"),
            to: entry.required("to", "Say what must not be reached"),
            port: entry.integer("port"),
            protocol: entry.text("protocol"),
            why: entry.text("why"),
        });
    });
    entries
}

fn accept(verify: &mut Reader) -> Vec<RawAccept> {
    let mut entries = Vec::new();
    verify.each("accept", "verify.accept", |entry| {
        entries.push(RawAccept {
            finding: entry.required("finding", "Say which finding is accepted"),
            reason: entry.required("reason", "Say why, for whoever reviews it"),
            until: entry.date("until", "Say until when, so that somebody looks at it again"),
        });
    });
    entries
}

fn state(t: &mut Reader) -> RawState {
    RawState {
        backend: t.text("backend"),
        account: t.text("account"),
        container: t.text("container"),
        key: t.text("key"),
        endpoint: t.text("endpoint"),
        recipients: t.texts("recipients"),
    }
}
