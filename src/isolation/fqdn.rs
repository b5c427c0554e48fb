//! Host names and the patterns of application rules, as Azure Firewall matches them: a star on the far left only
//! (Azure Firewall FAQ).

/// What a rule says of hosts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// `*`
    All,
    /// Whatever ends so: `*x.com` is `x.com`, which `evilx.com` ends with too; `*.x.com` is `.x.com`.
    EndsWith(String),
    /// This host only.
    Exact(String),
    /// A star elsewhere, which Azure refuses.
    Invalid(String),
}

impl Pattern {
    /// Reads a pattern; letter case means nothing.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = host(text);
        match text.strip_prefix('*') {
            Some("") => Self::All,
            Some(rest) if !rest.contains('*') => Self::EndsWith(rest.to_owned()),
            None if !text.contains('*') => Self::Exact(text),
            _ => Self::Invalid(text),
        }
    }

    /// Whether a host (lower case, without a last dot) is meant.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::All => true,
            // `*.x.com` means a name in front of the dot: an empty label is none.
            Self::EndsWith(end) => host.ends_with(end.as_str()) && (!end.starts_with('.') || host.len() > end.len()),
            Self::Exact(name) => name == host,
            Self::Invalid(_) => false,
        }
    }

    /// Whether it also matches names of strangers that merely end so.
    #[must_use]
    pub fn is_undotted(&self) -> bool {
        matches!(self, Self::EndsWith(end) if !end.starts_with('.'))
    }

    /// Whether some host of a domain may be meant.
    #[must_use]
    pub fn meets_domain(&self, domain: &str) -> bool {
        match self {
            Self::All => true,
            Self::EndsWith(end) => {
                let end = end.trim_start_matches('.');
                super::tag::is_below(end, domain) || domain.ends_with(end)
            }
            Self::Exact(name) => super::tag::is_below(name, domain),
            Self::Invalid(_) => false,
        }
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::EndsWith(end) => write!(f, "*{end}"),
            Self::Exact(name) | Self::Invalid(name) => f.write_str(name),
        }
    }
}

/// A host name in the form that names are compared in.
#[must_use]
pub fn host(text: &str) -> String {
    text.trim().trim_end_matches(|c: char| c == '.' || c.is_whitespace()).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_the_same_twice() {
        assert_eq!(host(" A.b . "), "a.b");
        assert_eq!(host(&host("a .")), host("a ."));
    }

    #[test]
    fn stars_match_as_azure_does() {
        let cases = [
            ("*github.com", "github.com", true),
            ("*github.com", "evilgithub.com", true),
            ("*github.com", "api.github.com", true),
            ("*.github.com", "github.com", false),
            ("*.github.com", "evilgithub.com", false),
            ("*.github.com", "a.b.github.com", true),
            ("github.com", "www.github.com", false),
            ("GitHub.com", "github.com", true),
            ("*", "anything.example", true),
            ("www.github.*", "www.github.com", false),
            ("a.*.com", "a.b.com", false),
        ];
        for (pattern, host, matches) in cases {
            assert_eq!(Pattern::new(pattern).matches(host), matches, "{pattern} {host}");
        }
    }
}
