//! Service tags: names for the addresses of one Azure service, whose ranges only Azure knows. Compares names, never
//! addresses (service-tags overview).

use std::fmt;

use super::span::Tri;

/// `Storage.WestEurope`: a service, and often a region or a part of it. Compared without case.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    text: String,
    service: String,
    part: Option<String>,
}

impl Tag {
    /// Takes any text.
    #[must_use]
    pub(super) fn new(text: &str) -> Self {
        let lower = text.trim().to_ascii_lowercase();
        let (service, part) = match lower.split_once('.') {
            Some((service, part)) => (service.to_owned(), Some(part.replace([' ', '-'], ""))),
            None => (lower, None),
        };
        Self { text: text.trim().to_owned(), service, part }
    }

    /// The tag of a service in a region.
    #[must_use]
    pub(super) fn regional(service: &str, region: Option<&str>) -> Self {
        Self::new(&region.map_or_else(|| service.to_owned(), |region| format!("{service}.{region}")))
    }

    /// Whether it is the tag of that service, in any region.
    #[must_use]
    pub(super) fn is(&self, service: &str) -> bool {
        self.service.eq_ignore_ascii_case(service)
    }

    /// Whether it names a whole service rather than a region or part of it.
    #[must_use]
    pub(super) const fn is_whole(&self) -> bool {
        self.part.is_none()
    }

    /// Whether every address of `other` belongs to it. Tags of different services share no address: a tag holds the
    /// addresses of one service. `AzureCloud` is the exception: all of Azure's data centres.
    #[must_use]
    pub(super) fn covers(&self, other: &Self) -> Tri {
        let part = match (&self.part, &other.part) {
            (None, _) => Tri::Yes,
            (Some(_), None) => Tri::Maybe,
            (Some(mine), Some(theirs)) => Tri::of(mine == theirs),
        };
        if self.service == other.service {
            return part;
        }
        match (self.service.as_str(), other.service.as_str()) {
            // A part that is no region, such as `AzureFrontDoor.FirstParty`, says nothing of the region.
            ("azurecloud", service) if service.starts_with("azurefrontdoor") => part.min(Tri::Maybe),
            ("azurecloud", _) => part,
            (_, "azurecloud") => Tri::Maybe,
            _ => Tri::No,
        }
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.service == other.service && self.part == other.part
    }
}

impl Eq for Tag {}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where the hosts of an Azure service live: domain → tag. A `{region}` label in front of it tells the region.
const DOMAINS: &[(&str, &str)] = &[
    ("core.windows.net", "Storage"),
    ("core.usgovcloudapi.net", "Storage"),
    ("core.chinacloudapi.cn", "Storage"),
    ("vault.azure.net", "AzureKeyVault"),
    ("vault.usgovcloudapi.net", "AzureKeyVault"),
    ("vault.azure.cn", "AzureKeyVault"),
    ("azurecr.io", "AzureContainerRegistry"),
    ("azurecr.us", "AzureContainerRegistry"),
    ("azurecr.cn", "AzureContainerRegistry"),
    ("mcr.microsoft.com", "MicrosoftContainerRegistry"),
    ("azureml.ms", "AzureMachineLearning"),
    ("azureml.net", "AzureMachineLearning"),
    ("notebooks.azure.net", "AzureMachineLearning"),
    ("batch.azure.com", "BatchNodeManagement"),
    ("login.microsoftonline.com", "AzureActiveDirectory"),
    ("login.windows.net", "AzureActiveDirectory"),
    ("login.microsoftonline.us", "AzureActiveDirectory"),
    ("login.chinacloudapi.cn", "AzureActiveDirectory"),
    ("management.azure.com", "AzureResourceManager"),
    ("management.usgovcloudapi.net", "AzureResourceManager"),
    ("management.chinacloudapi.cn", "AzureResourceManager"),
    ("monitor.azure.com", "AzureMonitor"),
    ("opinsights.azure.com", "AzureMonitor"),
    ("applicationinsights.azure.com", "AzureMonitor"),
    ("azurefd.net", "AzureFrontDoor.Frontend"),
    ("ml.azure.com", "AzureFrontDoor.Frontend"),
    ("database.windows.net", "Sql"),
    ("servicebus.windows.net", "ServiceBus"),
];

/// Names below a storage domain that are not the storage service's: Windows activation.
const NOT_STORAGE: &[&str] = &["azkms.core.windows.net", "kms.core.windows.net"];

/// The tag of the service that a host name belongs to; the region where the name tells it.
#[must_use]
pub(super) fn of_host(host: &str) -> Option<Tag> {
    if NOT_STORAGE.contains(&host) {
        return None;
    }
    let (domain, service) = DOMAINS.iter().find(|(domain, _)| is_below(host, domain))?;
    let front = host.strip_suffix(domain).unwrap_or_default();
    let region = match *service {
        // `{id}.workspace.{region}.api.azureml.ms`, `{x}.{region}.batch.azure.com`.
        "AzureMachineLearning" | "BatchNodeManagement" => {
            let labels: Vec<&str> = front.split('.').filter(|label| !label.is_empty()).collect();
            let known = |label: &&&str| crate::config::regions::find(label).is_some();
            labels.iter().find(known).map(|label| (*label).to_owned())
        }
        _ => None,
    };
    Some(Tag::regional(service, region.as_deref()))
}

/// Whether `host` is `domain` or lies below it.
#[must_use]
pub(super) fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

/// Domains in which hosts of a service may lie, for a tag whose host is not known.
pub(super) fn domains_of(tag: &Tag) -> impl Iterator<Item = &'static str> + '_ {
    DOMAINS.iter().filter(|(_, service)| Tag::new(service).is(&tag.service)).map(|(domain, _)| *domain)
}

/// The tag whose routes a service endpoint adds (virtual-network-service-endpoints overview), and whether it reaches
/// every region. The plain storage endpoint reaches the network's own region and its pair only.
#[must_use]
pub(super) fn of_endpoint(service: &str) -> Option<(&'static str, bool)> {
    const ENDPOINTS: &[(&str, &str, bool)] = &[
        ("Microsoft.Storage", "Storage", false),
        ("Microsoft.Storage.Global", "Storage", true),
        ("Microsoft.KeyVault", "AzureKeyVault", true),
        ("Microsoft.ContainerRegistry", "AzureContainerRegistry", true),
        ("Microsoft.Sql", "Sql", false),
        ("Microsoft.AzureCosmosDB", "AzureCosmosDB", true),
        ("Microsoft.ServiceBus", "ServiceBus", true),
        ("Microsoft.EventHub", "EventHub", true),
        ("Microsoft.AzureActiveDirectory", "AzureActiveDirectory", true),
        ("Microsoft.Web", "AppService", true),
        ("Microsoft.CognitiveServices", "CognitiveServicesManagement", true),
    ];
    let found = ENDPOINTS.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(service))?;
    Some((found.1, found.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(one: &str, other: &str) -> Tri {
        Tag::new(one).covers(&Tag::new(other))
    }

    #[test]
    fn a_service_covers_its_regions_and_nothing_else() {
        assert_eq!(covers("Storage", "storage.westeurope"), Tri::Yes);
        assert_eq!(covers("Storage.WestEurope", "Storage"), Tri::Maybe);
        assert_eq!(covers("Storage.WestEurope", "Storage.NorthEurope"), Tri::No);
        assert_eq!(covers("AzureMachineLearning", "Storage"), Tri::No);
        assert_eq!(covers("AzureCloud", "Storage.WestEurope"), Tri::Yes);
        assert_eq!(covers("AzureCloud.WestEurope", "Storage.WestEurope"), Tri::Yes);
        assert_eq!(covers("AzureFrontDoor.FirstParty", "AzureFrontDoor.Frontend"), Tri::No);
    }

    #[test]
    fn hosts_belong_to_the_service_of_their_domain() {
        let of = |host: &str| of_host(host).map(|tag| tag.to_string());
        assert_eq!(of("stranger.blob.core.windows.net").as_deref(), Some("Storage"));
        assert_eq!(of("x.workspace.westeurope.api.azureml.ms").as_deref(), Some("AzureMachineLearning.westeurope"));
        assert_eq!(of("evilcore.windows.net"), None);
        assert_eq!(of("azkms.core.windows.net"), None);
        assert_eq!(of("github.com"), None);
    }
}
