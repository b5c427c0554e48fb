//! Azure's regions by name. Data only: which services a region offers is Azure's to say.

/// The separate clouds of Azure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cloud {
    /// The public one.
    Public,
    /// US Government.
    UsGovernment,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// The word `--cloud` takes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "AzureCloud",
            Self::UsGovernment => "AzureUSGovernment",
            Self::China => "AzureChinaCloud",
        }
    }
}

/// One region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// ARM's word: `westeurope`.
    pub name: &'static str,
    /// The portal's words: `West Europe`.
    pub display: &'static str,
    /// Where it is.
    pub cloud: Cloud,
}

/// A region by ARM's word or by its display name; case and spaces do not matter.
#[must_use]
pub fn find(text: &str) -> Option<&'static Region> {
    let wanted = plain(text);
    REGIONS.iter().find(|r| r.name == wanted)
}

/// Up to three regions that the text may have meant, about equally likely, the likeliest first.
#[must_use]
pub fn similar(text: &str) -> Vec<&'static Region> {
    let wanted = plain(text);
    let mut scored: Vec<_> = REGIONS.iter().map(|r| (likeness(&wanted, r.name), r)).collect();
    scored.retain(|(score, _)| *score >= 0.8);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    scored.retain(|(score, _)| best - score < 0.04);
    scored.into_iter().take(3).map(|(_, region)| region).collect()
}

/// Dice's measure sees through changed word order (`europewest`), Jaro-Winkler's through slips of the finger.
fn likeness(a: &str, b: &str) -> f64 {
    let slip = if strsim::damerau_levenshtein(a, b) <= 2 { 0.95 } else { 0.0 };
    strsim::jaro_winkler(a, b).max(strsim::sorensen_dice(a, b)).max(slip)
}

/// As ARM spells it: `(Europe) West Europe` is the portal's habit in lists.
fn plain(text: &str) -> String {
    let name = text.rsplit(')').next().unwrap_or(text);
    name.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).flat_map(char::to_lowercase).collect()
}

const fn region(name: &'static str, display: &'static str, cloud: Cloud) -> Region {
    Region { name, display, cloud }
}

/// Every region open to customers (Microsoft's list of Azure regions, 2026; `az account list-locations`).
pub const REGIONS: &[Region] = &{
    use Cloud::{China, Public, UsGovernment};
    [
        region("australiacentral", "Australia Central", Public),
        region("australiacentral2", "Australia Central 2", Public),
        region("australiaeast", "Australia East", Public),
        region("australiasoutheast", "Australia Southeast", Public),
        region("austriaeast", "Austria East", Public),
        region("belgiumcentral", "Belgium Central", Public),
        region("brazilsouth", "Brazil South", Public),
        region("brazilsoutheast", "Brazil Southeast", Public),
        region("canadacentral", "Canada Central", Public),
        region("canadaeast", "Canada East", Public),
        region("centralindia", "Central India", Public),
        region("centralus", "Central US", Public),
        region("chilecentral", "Chile Central", Public),
        region("denmarkeast", "Denmark East", Public),
        region("eastasia", "East Asia", Public),
        region("eastus", "East US", Public),
        region("eastus2", "East US 2", Public),
        region("francecentral", "France Central", Public),
        region("francesouth", "France South", Public),
        region("germanynorth", "Germany North", Public),
        region("germanywestcentral", "Germany West Central", Public),
        region("indiasouthcentral", "India South Central", Public),
        region("indonesiacentral", "Indonesia Central", Public),
        region("israelcentral", "Israel Central", Public),
        region("italynorth", "Italy North", Public),
        region("japaneast", "Japan East", Public),
        region("japanwest", "Japan West", Public),
        region("jioindiacentral", "Jio India Central", Public),
        region("jioindiawest", "Jio India West", Public),
        region("koreacentral", "Korea Central", Public),
        region("koreasouth", "Korea South", Public),
        region("malaysiawest", "Malaysia West", Public),
        region("mexicocentral", "Mexico Central", Public),
        region("newzealandnorth", "New Zealand North", Public),
        region("northcentralus", "North Central US", Public),
        region("northeurope", "North Europe", Public),
        region("norwayeast", "Norway East", Public),
        region("norwaywest", "Norway West", Public),
        region("polandcentral", "Poland Central", Public),
        region("qatarcentral", "Qatar Central", Public),
        region("saudiarabiaeast", "Saudi Arabia East", Public),
        region("southafricanorth", "South Africa North", Public),
        region("southafricawest", "South Africa West", Public),
        region("southcentralus", "South Central US", Public),
        region("southeastasia", "Southeast Asia", Public),
        region("southindia", "South India", Public),
        region("spaincentral", "Spain Central", Public),
        region("swedencentral", "Sweden Central", Public),
        region("swedensouth", "Sweden South", Public),
        region("switzerlandnorth", "Switzerland North", Public),
        region("switzerlandwest", "Switzerland West", Public),
        region("taiwannorth", "Taiwan North", Public),
        region("taiwannorthwest", "Taiwan Northwest", Public),
        region("uaecentral", "UAE Central", Public),
        region("uaenorth", "UAE North", Public),
        region("uksouth", "UK South", Public),
        region("ukwest", "UK West", Public),
        region("westcentralus", "West Central US", Public),
        region("westeurope", "West Europe", Public),
        region("westindia", "West India", Public),
        region("westus", "West US", Public),
        region("westus2", "West US 2", Public),
        region("westus3", "West US 3", Public),
        region("usdodcentral", "US DoD Central", UsGovernment),
        region("usdodeast", "US DoD East", UsGovernment),
        region("usgovarizona", "US Gov Arizona", UsGovernment),
        region("usgovtexas", "US Gov Texas", UsGovernment),
        region("usgovvirginia", "US Gov Virginia", UsGovernment),
        region("chinaeast", "China East", China),
        region("chinaeast2", "China East 2", China),
        region("chinaeast3", "China East 3", China),
        region("chinanorth", "China North", China),
        region("chinanorth2", "China North 2", China),
        region("chinanorth3", "China North 3", China),
    ]
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_region_is_found_by_both_names_once() {
        for region in REGIONS {
            assert_eq!(find(region.name), Some(region));
            assert_eq!(find(region.display), Some(region), "{}", region.display);
        }
        assert_eq!(REGIONS.iter().map(|r| r.name).collect::<BTreeSet<_>>().len(), REGIONS.len());
    }

    #[test]
    fn the_portals_spellings_are_understood() {
        for text in ["West Europe", "WestEurope", "(Europe) West Europe", " west-europe"] {
            assert_eq!(find(text).map(|r| r.name), Some("westeurope"), "{text}");
        }
        assert_eq!(find("westeuropa"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn slips_and_changed_order_are_guessed() {
        assert_eq!(similar("westeuropa")[0].name, "westeurope");
        assert_eq!(similar("europewest")[0].name, "westeurope");
        assert_eq!(similar("swedencentrall")[0].name, "swedencentral");
        assert!(similar("mars").is_empty());
    }
}
