//! Service tags and address prefixes as security rules, routes and firewall rules take them.

use ipnet::Ipv4Net;

/// Tags that a rule may name, without their regional suffix.
const TAGS: &[&str] = &[
    "virtualnetwork",
    "azureloadbalancer",
    "internet",
    "actiongroup",
    "apimanagement",
    "appservice",
    "azureactivedirectory",
    "azurearcinfrastructure",
    "azurebackup",
    "azurecloud",
    "azurecontainerregistry",
    "azuredevops",
    "azurefrontdoor",
    "azurekeyvault",
    "azuremachinelearning",
    "azuremachinelearninginference",
    "azuremonitor",
    "azureplatformdns",
    "azureplatformimds",
    "azureplatformlkm",
    "azureresourcemanager",
    "azureupdatedelivery",
    "batchnodemanagement",
    "eventhub",
    "gatewaymanager",
    "guestandhybridmanagement",
    "microsoftcloudappsecurity",
    "microsoftcontainerregistry",
    "microsoftdefenderforendpoint",
    "servicebus",
    "servicefabric",
    "sql",
    "storage",
    "windowsadmincenter",
    "windowsvirtualdesktop",
    "azuredatabricks",
];

/// Whether `text` is a service tag, a regional or first-party suffix included (`Storage.WestEurope`).
pub(super) fn is_tag(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let (tag, suffix) = lower.split_once('.').unwrap_or((lower.as_str(), ""));
    TAGS.contains(&tag) && suffix.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Whether `text` is an IPv4 address or range without host bits.
pub(super) fn is_range(text: &str) -> bool {
    match text.parse::<Ipv4Net>() {
        Ok(range) => range.trunc() == range,
        Err(_) => text.parse::<std::net::Ipv4Addr>().is_ok(),
    }
}

/// Whether `text` is two addresses with a hyphen between.
pub(super) fn is_span(text: &str) -> bool {
    text.split_once('-')
        .is_some_and(|(a, b)| a.parse::<std::net::Ipv4Addr>().is_ok() && b.parse::<std::net::Ipv4Addr>().is_ok())
}

/// A port or a range of ports as numbers; `*` is all of them.
pub(super) fn ports(text: &str) -> Option<(u16, u16)> {
    if text == "*" {
        return Some((0, u16::MAX));
    }
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    (low <= high).then_some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_ranges_and_ports() {
        assert!(is_tag("Storage.WestEurope") && is_tag("AzureFrontDoor.FirstParty") && !is_tag("Nothing"));
        assert!(is_range("10.1.0.0/22") && is_range("10.1.1.4") && !is_range("10.1.0.1/22") && !is_range("10.1.0"));
        assert_eq!(ports("8080-8090"), Some((8080, 8090)));
        assert_eq!((ports("90-80"), ports("x"), ports("70000")), (None, None, None));
    }
}
