//! What services, machines and networks say of themselves that lets data out: the search behind the findings on settings.

use serde_json::Value;

use super::model::Model;
use super::read::{flag, text};
use super::service::Access;
use super::verdicts::Evidence;

pub(super) fn dns_open(model: &Model) -> Vec<Evidence> {
    if model.has_dns_policy {
        return Vec::new();
    }
    let says = |name: &str| format!("{name} resolves any name through Azure's DNS");
    model.networks.iter().map(|n| Evidence::new(&n.id, "dhcpOptions/dnsServers", says(n.id.name()))).collect()
}

/// Bodies of a type.
fn of<'m>(model: &'m Model, arm_type: &'static str) -> impl Iterator<Item = &'m (crate::model::ResourceId, Value)> {
    model.facts.iter().filter(move |(id, _)| id.arm_type().eq_ignore_ascii_case(arm_type))
}

pub(super) fn keys(model: &Model) -> Vec<Evidence> {
    let mut found = Vec::new();
    let mut switch = |arm_type, property: &str, open: fn(Option<bool>) -> bool, what: &str| {
        for (id, body) in of(model, arm_type).filter(|(_, body)| open(flag(body, &format!("/properties/{property}")))) {
            found.push(Evidence::new(id, property, format!("{}: {what}", id.name())));
            let _ = body;
        }
    };
    switch("Microsoft.Storage/storageAccounts", "allowSharedKeyAccess", |on| on != Some(false), "its keys open it");
    switch("Microsoft.Storage/storageAccounts", "isLocalUserEnabled", |on| on == Some(true), "local users open it");
    switch(
        "Microsoft.ContainerRegistry/registries",
        "adminUserEnabled",
        |on| on == Some(true),
        "its admin user opens it",
    );
    found
}

pub(super) fn launch(model: &Model) -> Vec<Evidence> {
    let safe = |body: &Value| {
        let kind = text(body, "/properties/securityProfile/securityType").unwrap_or_default();
        let uefi = |of: &str| flag(body, &format!("/properties/securityProfile/uefiSettings/{of}")) == Some(true);
        matches!(kind, "TrustedLaunch" | "ConfidentialVM") && uefi("secureBootEnabled") && uefi("vTpmEnabled")
    };
    let machines = of(model, "Microsoft.Compute/virtualMachines").filter(|(_, body)| !safe(body));
    machines
        .map(|(id, _)| Evidence::new(id, "securityProfile", format!("{} has no trusted launch", id.name())))
        .collect()
}

pub(super) fn bypasses(model: &Model) -> Vec<Evidence> {
    let open = model.services.iter().filter_map(|service| Some((service, service.bypass.as_ref()?)));
    open.map(|(service, why)| Evidence::new(&service.id, "bypass", format!("{}: {why}", service.id.name()))).collect()
}

pub(super) fn bastion_copy(model: &Model) -> Vec<Evidence> {
    let open = |body: &Value| flag(body, "/properties/disableCopyPaste") != Some(true);
    let found = of(model, "Microsoft.Network/bastionHosts").filter(|(_, body)| open(body));
    found
        .map(|(id, _)| Evidence::new(id, "disableCopyPaste", format!("{} lets the clipboard through", id.name())))
        .collect()
}

pub(super) fn bastion_tunnel(model: &Model) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (id, body) in of(model, "Microsoft.Network/bastionHosts") {
        for property in ["enableFileCopy", "enableTunneling", "enableShareableLink", "enableIpConnect"] {
            if flag(body, &format!("/properties/{property}")) == Some(true) {
                found.push(Evidence::new(id, property, format!("{}: {property} is on", id.name())));
            }
        }
    }
    found
}

pub(super) fn anonymous(model: &Model) -> Vec<Evidence> {
    let mut found = Vec::new();
    let of_type = |arm_type, property: &'static str| of(model, arm_type).map(move |one| (property, one));
    let storage = of_type("Microsoft.Storage/storageAccounts", "allowBlobPublicAccess");
    let registry = of_type("Microsoft.ContainerRegistry/registries", "anonymousPullEnabled");
    for (property, (id, body)) in storage.chain(registry) {
        if flag(body, &format!("/properties/{property}")) == Some(true) {
            found.push(Evidence::new(id, property, format!("{}: {property} = true", id.name())));
        }
    }
    found
}

pub(super) fn logs(model: &Model) -> Vec<Evidence> {
    use super::service::Kind;
    let logs = model.services.iter().filter(|service| matches!(service.kind, Kind::Logs | Kind::Insights));
    let open = logs.filter_map(|service| match &service.access {
        Access::Open(why) => {
            Some(Evidence::new(&service.id, "publicNetworkAccess", format!("{}: {why}", service.id.name())))
        }
        _ => None,
    });
    let scopes = of(model, "Microsoft.Insights/privateLinkScopes").filter_map(|(id, body)| {
        let mode = text(body, "/properties/accessModeSettings/ingestionAccessMode")?;
        let says = format!("{} lets the network's machines write to logs outside of the scope", id.name());
        mode.eq_ignore_ascii_case("Open").then(|| Evidence::new(id, "accessModeSettings", says))
    });
    open.chain(scopes).collect()
}

pub(super) fn fallback(model: &Model) -> Vec<Evidence> {
    let links = |zone: &super::dns::Zone| zone.links.iter().any(|link| link.falls_back);
    let zones = model.zones.iter().filter(|zone| links(zone));
    zones
        .map(|zone| Evidence::new(&zone.id, "resolutionPolicy", format!("{} falls back to public DNS", zone.name)))
        .collect()
}
