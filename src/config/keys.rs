//! Which keys exist, and what a key that does not exist was meant to be. Gives advice; reads no values.

/// One key of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// The table it belongs to, `""` at the top.
    pub(super) table: &'static str,
    pub(super) name: &'static str,
    /// A value as it would be written.
    pub(super) example: &'static str,
}

const fn key(table: &'static str, name: &'static str, example: &'static str) -> Key {
    Key { table, name, example }
}

/// Every key that a file may have. `[tags]` takes any.
pub(super) const KEYS: &[Key] = &[
    key("", "name", "\"test\""),
    key("", "location", "\"westeurope\""),
    key("", "vnet_address_space", "\"10.1.0.0/22\""),
    key("", "VNET_address_space", "\"10.1.0.0/22\""),
    key("", "profile", "\"baseline\""),
    key("", "network", ""),
    key("", "firewall", ""),
    key("", "jumpbox", ""),
    key("", "bastion", ""),
    key("", "monitor", ""),
    key("", "access", ""),
    key("", "tags", ""),
    key("", "state", ""),
    key("", "verify", ""),
    key("network", "firewall", "\"10.1.1.0/24\""),
    key("network", "bastion", "\"10.1.2.0/26\""),
    key("network", "shared", "\"10.1.2.128/25\""),
    key("firewall", "allow", ""),
    key("firewall.allow", "host", "\"pypi.org\""),
    key("firewall.allow", "reason", "\"Python packages\""),
    key("jumpbox", "enabled", "false"),
    key("jumpbox", "size", "\"Standard_D2s_v5\""),
    key("jumpbox", "image", "\"MicrosoftWindowsDesktop:windows-11:win11-25h2-pro:latest\""),
    key("jumpbox", "user", "\"researcher\""),
    key("jumpbox", "license_type", "\"Windows_Client\""),
    key("bastion", "sku", "\"Standard\""),
    key("monitor", "retention_days", "30"),
    key("monitor", "daily_cap_gb", "5"),
    key("access", "users", "[\"00000000-0000-0000-0000-000000000000\"]"),
    key("access", "groups", "[\"00000000-0000-0000-0000-000000000000\"]"),
    key("state", "backend", "\"azblob\""),
    key("state", "account", "\"mystate\""),
    key("state", "container", "\"privaml\""),
    key("state", "key", "\"test.privaml.state.json\""),
    key("state", "endpoint", "\"https://mystate.blob.core.windows.net\""),
    key("state", "recipients", "[\"age1…\"]"),
    key("verify", "deny", ""),
    key("verify", "accept", ""),
    key("verify.deny", "from", "\"shared\""),
    key("verify.deny", "to", "\"https://pastebin.com\""),
    key("verify.deny", "port", "443"),
    key("verify.deny", "protocol", "\"tcp\""),
    key("verify.deny", "why", "\"nobody pastes there\""),
    key("verify.accept", "finding", "\"EXF007\""),
    key("verify.accept", "reason", "\"code comes from there; reviewed by security\""),
    key("verify.accept", "until", "\"2027-06-30\""),
];

/// The keys to recommend: all but the Terraform project's spelling of one of them.
pub(super) fn ours() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|k| k.name != "VNET_address_space")
}

/// Words of other tools for our keys.
const SYNONYMS: &[(&str, &str)] = &[
    ("region", "location"),
    ("cidr", "vnet_address_space"),
    ("vnet", "vnet_address_space"),
    ("vnet_cidr", "vnet_address_space"),
    ("fqdn", "host"),
    ("url", "host"),
    ("domain", "host"),
    ("why", "reason"),
    ("description", "reason"),
    ("tier", "sku"),
    ("username", "user"),
    ("allowlist", "allow"),
    ("whitelist", "allow"),
    ("logs", "monitor"),
    ("vm", "jumpbox"),
    ("storage_account_name", "account"),
    ("container_name", "container"),
    ("reason", "why"),
    ("source", "from"),
    ("destination", "to"),
    ("id", "finding"),
    ("expires", "until"),
    ("expiry", "until"),
];

/// What to do about a key that its table does not have.
pub(super) fn advice(table: &str, unknown: &str) -> String {
    let plain = unknown.to_lowercase().replace('-', "_");
    let own = || ours().filter(|k| k.table == table);
    let elsewhere = || ours().filter(|k| k.table != table);
    let meant = own().find(|k| k.name == plain).or_else(|| nearest(&plain, own()));
    if let Some(meant) = meant {
        let name = match (meant.example, meant.table) {
            ("", "verify") => header(&format!("verify.{}", meant.name)),
            ("", _) => header(meant.name),
            _ => meant.name.to_owned(),
        };
        return format!("Did you mean `{name}`?");
    }
    let meant = elsewhere().find(|k| k.name == plain).or_else(|| nearest(&plain, elsewhere()));
    match meant {
        Some(meant) if meant.name == unknown => format!("`{}` belongs {}.", meant.name, home(meant)),
        Some(meant) => format!("Did you mean `{}`? It belongs {}.", meant.name, home(meant)),
        None => choices(table),
    }
}

/// Where a key is written.
fn home(key: &Key) -> String {
    match (key.table, key.example) {
        ("", "") => format!("at the top level, as `[{}]`", key.name),
        ("", _) => "at the top of the file, above the first [table]".to_owned(),
        ("firewall", _) => "to the firewall: start each entry with `[[firewall.allow]]`".to_owned(),
        ("firewall.allow" | "verify.deny" | "verify.accept", _) => {
            format!("in an entry that starts with `{}`", header(key.table))
        }
        ("verify", _) => format!("to the verification: start each entry with `[[verify.{}]]`", key.name),
        (table, _) => format!("in [{table}]"),
    }
}

/// The keys a table has.
fn choices(table: &str) -> String {
    let names = || ours().filter(|k| k.table == table);
    let words = |keys: Vec<&Key>| keys.iter().map(|k| format!("`{}`", k.name)).collect::<Vec<_>>().join(", ");
    if table.is_empty() {
        let (tables, plain): (Vec<&Key>, Vec<&Key>) = names().partition(|k| k.example.is_empty());
        let tables: Vec<_> = tables.iter().map(|k| header(k.name)).collect();
        return format!("The top level has {} and the tables {}.", words(plain), tables.join(", "));
    }
    format!("{} has {}.", header(table), words(names().collect()))
}

/// A table as its first line is written.
pub(super) fn header(table: &str) -> String {
    match table {
        "firewall" | "firewall.allow" => "[[firewall.allow]]".to_owned(),
        "verify.deny" | "verify.accept" => format!("[[{table}]]"),
        table => format!("[{table}]"),
    }
}

/// How an entry of a list of tables is written on one line; `word` is what stands there instead.
pub(super) fn entry(path: &str, word: Option<&str>) -> String {
    match path {
        "firewall.allow" => {
            let host = word.unwrap_or("\"pypi.org\"");
            format!("Every host needs a reason: `{{ host = {host}, reason = \"…\" }}`")
        }
        path => {
            let parts = ours().filter(|k| k.table == path).map(|k| format!("{} = …", k.name));
            format!("An entry is a table: `{{ {} }}`", parts.collect::<Vec<_>>().join(", "))
        }
    }
}

/// `retention_days = 30`, with the example value of that key.
pub(super) fn example(table: &str, name: &str) -> String {
    let found = KEYS.iter().find(|k| k.table == table && k.name == name);
    format!("{name} = {}", found.map_or("…", |k| k.example))
}

fn nearest<'k>(word: &str, keys: impl Iterator<Item = &'k Key>) -> Option<&'k Key> {
    let scored = keys.map(|k| (closeness(word, k.name), k)).filter(|(score, _)| *score >= 0.8);
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, key)| key)
}

/// 1 for a synonym, high for a part of the name (`vm_size`, `retention`) or a slip of the finger.
fn closeness(word: &str, name: &str) -> f64 {
    if SYNONYMS.contains(&(word, name)) {
        return 1.0;
    }
    // Whole words of the name only: `size` is part of `vm_size`, not of `oversize`.
    let part = |long: &str, short: &str| short.len() >= 4 && format!("_{long}_").contains(&format!("_{short}_"));
    if part(word, name) || part(name, word) {
        return 0.9;
    }
    let slips = strsim::damerau_levenshtein(word, name);
    let longest = word.chars().count().max(name.len());
    // One slip in four letters is a slip, two in four another word.
    if slips * 4 <= longest { 0.95 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_parts_and_synonyms_are_understood() {
        assert_eq!(advice("", "locaton"), "Did you mean `location`?");
        assert_eq!(advice("", "jumbox"), "Did you mean `[jumpbox]`?");
        assert_eq!(advice("", "region"), "Did you mean `location`?");
        assert_eq!(advice("", "Name"), "Did you mean `name`?");
        assert_eq!(advice("jumpbox", "vm_size"), "Did you mean `size`?");
        assert_eq!(advice("jumpbox", "license-type"), "Did you mean `license_type`?");
        assert_eq!(advice("monitor", "retention"), "Did you mean `retention_days`?");
        assert_eq!(advice("", "address_space"), "Did you mean `vnet_address_space`?");
    }

    #[test]
    fn a_key_of_another_table_is_sent_there() {
        assert_eq!(advice("", "size"), "`size` belongs in [jumpbox].");
        assert_eq!(
            advice("jumpbox", "location"),
            "`location` belongs at the top of the file, above the first [table]."
        );
        assert_eq!(advice("monitor", "skuu"), "Did you mean `sku`? It belongs in [bastion].");
    }

    #[test]
    fn a_word_like_no_other_gets_the_list() {
        assert_eq!(advice("bastion", "colour"), "[bastion] has `sku`.");
        assert!(advice("", "colour").contains("`vnet_address_space`, `profile` and the tables [network],"));
    }
}
