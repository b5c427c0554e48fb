//! The file as written to checked values, one small function a rule. A rule that returns `None` has complained.

use std::collections::BTreeMap;

use super::problem::{At, Problem, Span, listed, quoted};
use super::raw::{Raw, RawMonitor};
use super::{
    Access, Bastion, BastionSku, Config, Monitor, Profile, host, jumpbox, keeping, network, regions, tags, verify,
};

/// Days that a Log Analytics workspace keeps logs (`azure-facts` 2.3).
const RETENTION: std::ops::RangeInclusive<i64> = 30..=730;
const SKUS: [&str; 3] = ["Basic", "Standard", "Premium"];
const PROFILES: [&str; 2] = ["baseline", "hardened"];

/// Judges everything, then puts together what held.
pub(super) fn check(raw: &Raw, problems: &mut Vec<Problem>) -> Option<Config> {
    let name = raw.name.as_ref().map_or_else(|| Some("test".to_owned()), |n| name(n, problems));
    let location = raw.location.as_ref().map_or_else(|| Some("westeurope".to_owned()), |l| location(l, problems));
    let range = network::range(raw.vnet_address_space.as_ref(), problems);
    let network = network::subnets(range, &raw.network, problems);
    let profile = raw.profile.as_ref().map_or(Some(Profile::Baseline), |p| profile(p, problems));
    let allow = host::check(&raw.allow, problems);
    let jumpbox = jumpbox::check(&raw.jumpbox, problems);
    let sku = raw.bastion_sku.as_ref().map_or(Some(BastionSku::Basic), |s| sku(s, problems));
    let monitor = monitor(&raw.monitor, problems);
    let access = access(raw, problems);
    let tags = tags::check(&raw.tags, problems);
    let state = keeping::check(&raw.state, name.as_deref(), problems);
    let verify = verify::check(&raw.deny, &raw.accept, problems);
    note_open_clipboard(raw, profile, sku, matches!(jumpbox, Ok(None)), problems);
    Some(Config {
        name: name?,
        location: location?,
        vnet_address_space: range?.value,
        profile: profile?,
        network: network?,
        allow: allow?,
        jumpbox: jumpbox.ok()?,
        bastion: Bastion { sku: sku? },
        monitor: monitor?,
        access: access?,
        tags: tags?,
        state: state?,
        verify: verify?,
    })
}

/// The name goes into names of storage accounts and computers, which take nothing else.
fn name(name: &At<String>, problems: &mut Vec<Problem>) -> Option<String> {
    let text = name.value.as_str();
    let said = |what: &str| format!("the name {} {what}", quoted(text));
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let message = if text.is_empty() {
        "the name is empty".to_owned()
    } else if text.chars().count() > 4 {
        said("is longer than 4 characters")
    } else if !text.chars().all(sound) {
        said("has more than lower-case letters and digits")
    } else if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        said("does not begin with a letter")
    } else {
        return Some(text.to_owned());
    };
    let small: String = text.to_lowercase().chars().filter(|c| sound(*c)).collect();
    let small: String = small.trim_start_matches(|c: char| c.is_ascii_digit()).chars().take(4).collect();
    let better = if small.is_empty() { String::new() } else { format!(" For example: `name = \"{small}\"`") };
    let help = "Take 1 to 4 lower-case letters and digits, a letter first; four digits are added to it.";
    problems.push(Problem::at(name.span, message).label("not a name").help(format!("{help}{better}")));
    None
}

fn location(location: &At<String>, problems: &mut Vec<Problem>) -> Option<String> {
    if let Some(region) = regions::find(&location.value) {
        return Some(region.name.to_owned());
    }
    let near: Vec<&str> = regions::similar(&location.value).iter().map(|r| r.name).collect();
    let guess = if near.is_empty() {
        "Write it like `westeurope`. ".to_owned()
    } else {
        format!("Did you mean {}? ", listed(&near, "or"))
    };
    let problem = Problem::at(location.span, format!("Azure has no region {}", quoted(&location.value)))
        .label("unknown region")
        .help(format!("{guess}`az account list-locations -o table` lists what your subscription has."));
    problems.push(problem);
    None
}

fn profile(profile: &At<String>, problems: &mut Vec<Problem>) -> Option<Profile> {
    match profile.value.as_str() {
        "baseline" => Some(Profile::Baseline),
        "hardened" => Some(Profile::Hardened),
        _ => {
            problems.push(not_one_of(profile, "a profile", &PROFILES));
            None
        }
    }
}

fn sku(sku: &At<String>, problems: &mut Vec<Problem>) -> Option<BastionSku> {
    let known = [BastionSku::Basic, BastionSku::Standard, BastionSku::Premium];
    if let Some(found) = known.into_iter().find(|k| k.word() == sku.value) {
        return Some(found);
    }
    let problem = if sku.value.eq_ignore_ascii_case("developer") {
        Problem::at(sku.span, "Bastion's Developer tier does not work here").label("has no subnet").help(
            "It runs on machines shared with others instead of in a subnet of this network, and reaches one \
                 machine at a time. Take `Basic`, `Standard` or `Premium`.",
        )
    } else {
        not_one_of(sku, "a tier of Bastion", &SKUS)
    };
    problems.push(problem);
    None
}

fn not_one_of(given: &At<String>, noun: &str, words: &[&str]) -> Problem {
    let text = given.value.as_str();
    let score = |w: &&str| strsim::jaro_winkler(&w.to_lowercase(), &text.to_lowercase());
    let near = words.iter().filter(|w| score(w) > 0.85).max_by(|a, b| score(a).total_cmp(&score(b)));
    let help = match near {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Write {}.", listed(words, "or")),
    };
    Problem::at(given.span, format!("{} is not {noun}", quoted(text))).label("unknown").help(help)
}

fn monitor(raw: &RawMonitor, problems: &mut Vec<Problem>) -> Option<Monitor> {
    let retention = raw.retention_days.as_ref().map_or(Some(30), |d| retention(d, problems));
    let cap = raw.daily_cap_gb.as_ref().map(|c| cap(c, problems));
    Some(Monitor { retention_days: retention?, daily_cap_gb: cap.map_or(Some(None), |c| c.map(Some))? })
}

fn retention(days: &At<i64>, problems: &mut Vec<Problem>) -> Option<u32> {
    if RETENTION.contains(&days.value) {
        return u32::try_from(days.value).ok();
    }
    let problem = Problem::at(days.span, "logs are kept for 30 to 730 days")
        .label("out of range")
        .help("30 days cost nothing beyond the logs themselves; 730 is the most a workspace keeps.");
    problems.push(problem);
    None
}

fn cap(gigabytes: &At<i64>, problems: &mut Vec<Problem>) -> Option<u32> {
    let sound = u32::try_from(gigabytes.value).ok().filter(|gb| (1..=10_000).contains(gb));
    if sound.is_none() {
        let problem = Problem::at(gigabytes.span, "the daily cap is a number of GB from 1 to 10000")
            .label("out of range")
            .help("Leave the line out to have no cap.");
        problems.push(problem);
    }
    sound
}

fn access(raw: &Raw, problems: &mut Vec<Problem>) -> Option<Access> {
    let mut seen = BTreeMap::new();
    let users = object_ids(&raw.users, "user", &mut seen, problems);
    let groups = object_ids(&raw.groups, "group", &mut seen, problems);
    Some(Access { users: users?, groups: groups? })
}

/// Object ids in Entra ID; an id is one person or one group, so it stands in the file once.
fn object_ids(
    ids: &[At<String>],
    noun: &str,
    seen: &mut BTreeMap<String, Span>,
    problems: &mut Vec<Problem>,
) -> Option<Vec<String>> {
    let mut sound = Some(Vec::new());
    for id in ids {
        let found = object_id(id, noun, problems).filter(|plain| first_time(id, plain, seen, problems));
        sound = sound.zip(found).map(|(mut all, one)| {
            all.push(one);
            all
        });
    }
    sound
}

fn object_id(id: &At<String>, noun: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let plain = id.value.to_lowercase();
    if plain.len() == 36 && uuid::Uuid::try_parse(&plain).is_ok_and(|u| !u.is_nil()) {
        return Some(plain);
    }
    let name = if id.value.contains(char::is_whitespace) || noun == "group" { "\"NAME\"" } else { "NAME@DOMAIN" };
    let option = if noun == "group" { "--group" } else { "--id" };
    let problem = Problem::at(id.span, format!("{} is not the object id of a {noun}", quoted(&id.value)))
        .label("not an object id")
        .help(format!(
            "Names can change, so the id is wanted: `az ad {noun} show {option} {name} --query id -o tsv` prints it."
        ));
    problems.push(problem);
    None
}

fn first_time(id: &At<String>, plain: &str, seen: &mut BTreeMap<String, Span>, problems: &mut Vec<Problem>) -> bool {
    let Some(first) = seen.insert(plain.to_owned(), id.span) else { return true };
    let problem = Problem::at(id.span, format!("{} is given twice", quoted(plain)))
        .label("again here")
        .also(first, "first here")
        .help("Remove one of them.");
    problems.push(problem);
    false
}

/// Basic cannot close the clipboard (`azure-facts` 2.18), the one way out that a hardened environment would leave.
fn note_open_clipboard(
    raw: &Raw,
    profile: Option<Profile>,
    sku: Option<BastionSku>,
    alone: bool,
    problems: &mut Vec<Problem>,
) {
    let Some(place) = raw.bastion_sku.as_ref().or(raw.profile.as_ref()) else { return };
    if profile == Some(Profile::Hardened) && sku == Some(BastionSku::Basic) && !alone {
        let problem =
            Problem::at(place.span, "a hardened environment with Bastion's Basic tier keeps the clipboard open")
                .label("text can be copied out")
                .help("Basic cannot close it. Write `[bastion]` and, below it, `sku = \"Standard\"`.");
        problems.push(problem.warning());
    }
}
