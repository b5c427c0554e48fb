//! The user's tags, within what every tagged resource takes. Azure's private DNS zones are the strictest of them.

use std::collections::BTreeMap;

use crate::model::OWNER_TAG;

use super::problem::{At, Problem, quoted};

/// A resource takes 50 tags, a DNS zone 15 (Microsoft's "tag resources", limitations); ours take up to 5 of them.
const MOST: usize = 10;
/// A storage account takes 128 characters, other resources 512 (`azure-facts` 2.22).
const LONGEST_NAME: usize = 128;
const LONGEST_VALUE: usize = 256;
/// Kept for Azure itself.
const RESERVED: [&str; 3] = ["azure", "microsoft", "windows"];

/// All tags; `None`: some is unusable.
pub(super) fn check(
    tags: &[(At<String>, At<String>)],
    problems: &mut Vec<Problem>,
) -> Option<BTreeMap<String, String>> {
    let before = problems.len();
    for (index, (name, value)) in tags.iter().enumerate() {
        check_name(name, problems);
        check_value(name, value, problems);
        let twin = tags[..index].iter().find(|(n, _)| n.value.eq_ignore_ascii_case(&name.value));
        if let Some((first, _)) = twin {
            let problem =
                Problem::at(name.span, format!("{} and {} are one tag", quoted(&first.value), quoted(&name.value)))
                    .label("again here")
                    .also(first.span, "first here")
                    .help("Azure does not tell capital letters apart in the names of tags. Remove one of them.");
            problems.push(problem);
        }
    }
    if let Some((name, _)) = tags.get(MOST) {
        let problem = Problem::at(name.span, format!("{} tags are too many", tags.len()))
            .label(format!("tag number {}", MOST + 1))
            .help(format!("A private DNS zone takes 15 tags and some are the program's own: give {MOST} at most."));
        problems.push(problem);
    }
    let pairs = tags.iter().map(|(name, value)| (name.value.clone(), value.value.clone()));
    (problems.len() == before).then(|| pairs.collect())
}

fn check_name(name: &At<String>, problems: &mut Vec<Problem>) {
    let text = name.value.as_str();
    let said = |what: &str| format!("the tag {} {what}", quoted(text));
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fault = if text.is_empty() {
        Some((said("has no name"), "Write a name in front of the `=`.".to_owned()))
    } else if text.eq_ignore_ascii_case(OWNER_TAG) {
        Some((said("is the program's own"), "It marks what belongs to this environment. Take another name.".to_owned()))
    } else if let Some(word) = RESERVED.iter().find(|w| text.to_lowercase().starts_with(*w)) {
        Some((said(&format!("begins with `{word}`")), "Azure keeps such names for itself. Take another.".to_owned()))
    } else if text.chars().count() > LONGEST_NAME {
        let help = format!("A storage account takes names of up to {LONGEST_NAME} characters.");
        Some((said("has too long a name"), help))
    } else if !text.chars().all(allowed) || !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let help = format!(
            "Private DNS zones take letters, digits, `-`, `_` and `.`, a letter first{}",
            better(text).map_or_else(|| ".".to_owned(), |name| format!(": `{name} = \"…\"`"))
        );
        Some((said("has a name that not every resource takes"), help))
    } else {
        None
    };
    if let Some((message, help)) = fault {
        problems.push(Problem::at(name.span, message).label("not usable").help(help));
    }
}

/// The name with hyphens for what is not allowed.
fn better(name: &str) -> Option<String> {
    let swap = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let name: String = name.trim().chars().map(swap).collect();
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(name)
}

fn check_value(name: &At<String>, value: &At<String>, problems: &mut Vec<Problem>) {
    let length = value.value.chars().count();
    if length > LONGEST_VALUE {
        let problem = Problem::at(value.span, format!("the value of the tag {} is too long", quoted(&name.value)))
            .label(format!("{length} characters"))
            .help(format!("Azure takes up to {LONGEST_VALUE} characters."));
        problems.push(problem);
    }
}
