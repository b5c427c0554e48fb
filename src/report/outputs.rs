//! Outputs as a table, as Terraform's JSON, and as the next step for the user. Pure text.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// One output.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputRow {
    /// Its name.
    pub name: String,
    /// Its value; a placeholder where a secret stays hidden.
    pub value: Value,
    /// Whether it is a secret.
    pub sensitive: bool,
}

/// `name = value`, secrets as `(sensitive)`.
#[must_use]
pub fn table(rows: &[OutputRow]) -> String {
    let widest = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    let mut text = String::from("Outputs:\n");
    for row in rows {
        let value = if row.sensitive { "(sensitive)".to_owned() } else { row.value.to_string() };
        let _ = writeln!(text, "  {:<widest$} = {value}", row.name);
    }
    text
}

/// `{name: {sensitive, type, value}}`, as `terraform output -json` has it.
#[must_use]
pub fn terraform_json(rows: &[OutputRow]) -> Value {
    let one = |row: &OutputRow| json!({"sensitive": row.sensitive, "type": type_of(&row.value), "value": row.value});
    rows.iter().map(|row| (row.name.clone(), one(row))).collect::<serde_json::Map<_, _>>().into()
}

fn type_of(value: &Value) -> Value {
    match value {
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::Array(items) => json!(["list", items.first().map_or_else(|| json!("dynamic"), type_of)]),
        Value::Object(map) => {
            json!(["object", map.iter().map(|(k, v)| (k.clone(), type_of(v))).collect::<serde_json::Map<_, _>>()])
        }
        Value::String(_) | Value::Null => json!("string"),
    }
}

/// What to do now: the way in, and where the workspace is.
#[must_use]
pub fn next_steps(rows: &[OutputRow]) -> String {
    let find = |name: &str| rows.iter().find(|row| row.name == name).and_then(|row| row.value.as_str());
    let mut text = String::from("\nNext:\n");
    if let (Some(url), Some(user)) = (find("connect_url"), find("jumpbox_user")) {
        let _ = writeln!(text, "  1. Open Bastion: {url}");
        let _ = writeln!(text, "     User `{user}`; password: `privaml output jumpbox_pass --raw`.");
    } else {
        let _ = writeln!(text, "  1. There is no jumpbox: reach the network through your VPN or a peering.");
    }
    if let Some(studio) = find("ml_studio_url") {
        let _ = writeln!(text, "  2. From inside, open the workspace: {studio}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_terraforms_shape_and_the_table_hides_secrets() {
        let row =
            |name: &str, value: &str, sensitive| OutputRow { name: name.to_owned(), value: json!(value), sensitive };
        let rows = [row("a", "x", false), row("pass", "hush", true)];
        assert_eq!(terraform_json(&rows)["a"], json!({"sensitive": false, "type": "string", "value": "x"}));
        assert_eq!(table(&rows), "Outputs:\n  a    = \"x\"\n  pass = (sensitive)\n");
    }
}
