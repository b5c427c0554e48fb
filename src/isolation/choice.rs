//! First match wins, when some matches cannot be told. The same for security groups and firewalls.

use serde::Serialize;

use super::span::Tri;

/// What happens to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It does not get through.
    Deny,
    /// It cannot be told offline.
    Unknown,
    /// It gets through.
    Allow,
}

impl Verdict {
    /// Allow or deny.
    #[must_use]
    pub const fn of(allow: bool) -> Self {
        if allow { Self::Allow } else { Self::Deny }
    }

    /// One check after another: all must allow.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        self.min(next)
    }

    /// One of two ways, which one cannot be told: only what both say is known.
    #[must_use]
    pub fn or_else(self, other: Self) -> Self {
        if self == other { self } else { Self::Unknown }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Unknown => "unknown",
        })
    }
}

/// What a list of rules says.
#[derive(Clone, Debug)]
pub(super) struct Choice<'r, R> {
    /// The verdict.
    pub verdict: Verdict,
    /// The first rule that certainly matches; `None`: the end of the list decides.
    pub decided: Option<&'r R>,
    /// The first rule before it that may match and would say otherwise: why the verdict is unknown.
    pub doubt: Option<&'r R>,
}

/// Walks rules in order. A rule that may match leaves the verdict open only if it would say something else than the
/// first rule that certainly matches.
pub(super) fn first<'r, R>(
    rules: impl Iterator<Item = &'r R>,
    matches: impl Fn(&R) -> Tri,
    allows: impl Fn(&R) -> bool,
) -> Choice<'r, R> {
    let (mut open, mut shut) = (None, None);
    let mut decided = None;
    for rule in rules {
        match matches(rule) {
            Tri::No => {}
            Tri::Maybe => {
                let slot = if allows(rule) { &mut open } else { &mut shut };
                slot.get_or_insert(rule);
            }
            Tri::Yes => {
                decided = Some(rule);
                break;
            }
        }
    }
    // Nothing matched: both security groups and firewalls end in a denial.
    let allow = decided.is_some_and(allows);
    let doubt = if allow { shut } else { open };
    let verdict = if doubt.is_some() { Verdict::Unknown } else { Verdict::of(allow) };
    Choice { verdict, decided, doubt }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(rules: &[(Tri, bool)]) -> Verdict {
        first(rules.iter(), |rule| rule.0, |rule| rule.1).verdict
    }

    #[test]
    fn a_doubtful_rule_matters_only_if_it_says_otherwise() {
        assert_eq!(verdict(&[(Tri::Maybe, true), (Tri::Yes, true)]), Verdict::Allow);
        assert_eq!(verdict(&[(Tri::Maybe, false), (Tri::Yes, true)]), Verdict::Unknown);
        assert_eq!(verdict(&[(Tri::Maybe, true)]), Verdict::Unknown);
        assert_eq!(verdict(&[(Tri::Maybe, false)]), Verdict::Deny);
        assert_eq!(verdict(&[(Tri::Yes, false), (Tri::Yes, true)]), Verdict::Deny);
    }
}
