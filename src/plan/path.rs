//! Where we are inside a body: once as a pattern for a kind's rules, once for people. Reads no values.

use crate::kind::Kind;

/// A place inside a body.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Segments, `*` for the item of a list.
    pattern: Vec<String>,
    /// `properties/ruleCollections[arc]/rules[github]/targetFqdns`.
    shown: String,
}

impl Place {
    /// A member of the object here.
    pub(super) fn member(&self, name: &str) -> Self {
        let shown = if self.shown.is_empty() { name.to_owned() } else { format!("{}/{name}", self.shown) };
        self.below(name, shown)
    }

    /// An item of the list here, told apart by `label`.
    pub(super) fn item(&self, label: &str) -> Self {
        self.below("*", format!("{}[{label}]", self.shown))
    }

    fn below(&self, segment: &str, shown: String) -> Self {
        let mut pattern = self.pattern.clone();
        pattern.push(segment.to_owned());
        Self { pattern, shown }
    }

    /// The readable form.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The form of a kind's rules, for `Reason::Forced`.
    pub(super) fn pointer(&self) -> String {
        self.pattern.iter().fold(String::new(), |text, segment| text + "/" + segment)
    }

    /// The last segment.
    pub(super) fn last(&self) -> &str {
        self.pattern.last().map_or("", String::as_str)
    }

    /// Whether one of `rules` names this very place.
    pub(super) fn is_one_of(&self, rules: &[&str]) -> bool {
        rules.iter().any(|rule| self.relation(rule) == Relation::Same)
    }

    /// Whether this place is one of `rules` or lies below one.
    pub(super) fn is_at_or_below(&self, rules: &[&str]) -> bool {
        rules.iter().any(|rule| matches!(self.relation(rule), Relation::Same | Relation::Below))
    }

    /// Whether one of `rules` lies below this place.
    pub(super) fn is_above(&self, rules: &[&str]) -> bool {
        rules.iter().any(|rule| self.relation(rule) == Relation::Above)
    }

    /// The member by which the items of the list here are told apart.
    pub(super) fn key(&self, kind: &Kind) -> Option<&'static str> {
        kind.keyed.iter().find(|(rule, _)| self.relation(rule) == Relation::Same).map(|&(_, member)| member)
    }

    /// Whether this is the member by which the items of a list are told apart.
    pub(super) fn is_key(&self, kind: &Kind) -> bool {
        kind.keyed.iter().any(|(rule, member)| self.relation(&format!("{rule}/*/{member}")) == Relation::Same)
    }

    fn relation(&self, rule: &str) -> Relation {
        let mut mine = self.pattern.iter();
        let mut theirs = segments(rule);
        loop {
            match (mine.next(), theirs.next()) {
                (None, None) => return Relation::Same,
                (Some(_), None) => return Relation::Below,
                (None, Some(_)) => return Relation::Above,
                (Some(a), Some(b)) if b == "*" || a.eq_ignore_ascii_case(b) => {}
                _ => return Relation::Apart,
            }
        }
    }
}

/// How a place lies to a rule.
#[derive(PartialEq)]
enum Relation {
    Same,
    Below,
    Above,
    Apart,
}

/// The segments of a rule such as `/properties/subnets/*/name`.
pub(super) fn segments(rule: &str) -> impl Iterator<Item = &str> {
    rule.split('/').filter(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_well_and_match_rules() {
        let rules = Place::default().member("properties").member("rules");
        let item = rules.item("github").member("targetFqdns");
        assert_eq!(item.shown(), "properties/rules[github]/targetFqdns");
        assert_eq!(item.pointer(), "/properties/rules/*/targetFqdns");
        assert!(item.is_one_of(&["/properties/rules/*/TARGETFQDNS"]));
        assert!(item.is_at_or_below(&["/properties/rules"]) && !item.is_one_of(&["/properties/rules"]));
        assert!(rules.is_above(&["/properties/rules/*/name"]) && !rules.is_above(&["/properties/rules"]));
    }
}
