//! The promises of an isolated environment, each by a stable name, with evidence and remedy. Judges a model; reads
//! nothing else.

mod gap;
mod switches;

use super::asked::{Asked, Lines};
use super::choice::Verdict;
use super::flow::{Answer, Flow};
use super::flow_checks;
use super::model::Model;
use super::moments;
use super::network::Subnet;
use super::party::Party;
use super::route::{self, NextHop, Origin};
use super::service::{Access, HostName, Kind, Service};
use super::verdicts::{Check, Evidence, State};
use crate::model::ResourceId;

/// Subnets that an Azure service runs by itself.
pub(super) const RUN_BY_AZURE: [&str; 4] =
    ["AzureFirewallSubnet", "AzureBastionSubnet", "AzureFirewallManagementSubnet", "GatewaySubnet"];

/// Every check.
pub(super) fn all(model: &Model, asked: &Asked) -> Vec<Check> {
    vec![
        all_was_read(asked),
        no_public_path(model, asked),
        own_endpoints(model),
        private_by_name(model),
        out_through_firewall(model),
        no_other_network(model, asked),
        in_through_bastion(model),
        allowlist(model, asked),
        security_rules(model, asked),
        routes(model, asked),
        settings(model, asked),
        flow_checks::open(model, asked),
        flow_checks::closed(model, asked),
        flow_checks::asked_closed(model, asked),
        moments::no_open_moment(asked),
    ]
}

/// Names of all checks that there are, which never change.
#[must_use]
pub fn check_names() -> Vec<&'static str> {
    all(&Model::new([]), &Asked::nothing("")).into_iter().map(|check| check.name).collect()
}

pub(super) fn check(
    name: &'static str,
    title: &'static str,
    remedy: &'static str,
    found: Vec<(State, Evidence)>,
) -> Check {
    let state = found.iter().map(|(state, _)| *state).max().unwrap_or(State::Pass);
    Check { name, title, state, evidence: found.into_iter().map(|(_, evidence)| evidence).collect(), remedy }
}

pub(super) fn skipped(name: &'static str, title: &'static str, why: &str) -> Check {
    let evidence = vec![Evidence { resource: None, property: String::new(), says: why.to_owned() }];
    Check { name, title, state: State::Skipped, evidence, remedy: "" }
}

/// A service that nobody let us read is not a service that is closed.
fn all_was_read(asked: &Asked) -> Check {
    let unread = asked.unread.iter();
    let found = unread.map(|note| (State::Unknown, Evidence::new(&note.resource, &*note.property, &*note.what)));
    check("all-was-read", "Everything that decides was read.", "Give the role Reader on the resource.", found.collect())
}

fn no_public_path(model: &Model, asked: &Asked) -> Check {
    let mut found = Vec::new();
    for service in &model.services {
        // The plan may leave logs readable from outside, where operators are.
        let plan = asked.plan.as_ref().and_then(|plan| plan.services.iter().find(|one| one.id == service.id));
        if let Some(plan) = plan
            && plan.bypass != service.bypass
            && let Some(why) = &service.bypass
        {
            let says = format!("{} lets Microsoft's services in otherwise than asked for: {why}", service.id.name());
            found.push((State::Fail, Evidence::new(&service.id, "bypass", says)));
        }
        let logs = matches!(service.kind, Kind::Logs | Kind::Insights);
        if logs && plan.is_none_or(|plan| plan.access == service.access) {
            continue;
        }
        let (state, why) = match &service.access {
            Access::Closed(_) => continue,
            Access::Open(why) => (State::Fail, format!("anybody reaches {}: {why}", service.id.name())),
            Access::Limited { why, .. } => (State::Fail, format!("some outside reach {}: {why}", service.id.name())),
            Access::Unknown(why) => (State::Unknown, format!("not evaluated: {why}")),
        };
        let property = why.rsplit(": ").next().and_then(|text| text.split([' ', ',']).next()).unwrap_or_default();
        found.push((state, Evidence::new(&service.id, property, why.clone())));
    }
    check(
        "no-public-path",
        "No service is reachable from the Internet.",
        "Set publicNetworkAccess to Disabled on the service.",
        found,
    )
}

fn own_endpoints(model: &Model) -> Check {
    let mut found = Vec::new();
    for service in &model.services {
        let own = |key: &String| model.endpoints.iter().any(|endpoint| endpoint.id.key() == *key);
        for stranger in service.connections.iter().filter(|key| !own(key)) {
            let says = format!(
                "{} lets in the private endpoint {stranger}, which is not among the resources",
                service.id.name()
            );
            found.push((State::Fail, Evidence::new(&service.id, "privateEndpointConnections", says)));
        }
    }
    check(
        "own-endpoints-only",
        "No private endpoint of anybody else reaches a service.",
        "Reject the connection on the service.",
        found,
    )
}

/// Where users and computes are: the subnet of that name, else every subnet that holds private endpoints.
fn user_subnets(model: &Model) -> Vec<&Subnet> {
    let named: Vec<&Subnet> = model.subnets.iter().filter(|subnet| subnet.is("SharedSubnet")).collect();
    if !named.is_empty() {
        return named;
    }
    let holds = |subnet: &&Subnet| model.endpoints.iter().any(|endpoint| endpoint.subnet == subnet.id.key());
    model.subnets.iter().filter(holds).collect()
}

fn private_by_name(model: &Model) -> Check {
    let mut found = Vec::new();
    for service in &model.services {
        let faces: &[&str] = match service.kind {
            Kind::Storage => &["blob", "file"],
            Kind::Vault => &["vault"],
            Kind::Registry => &["registry"],
            Kind::Workspace => &["amlworkspace"],
            Kind::Logs | Kind::Insights if service.scopes.is_empty() => &[],
            Kind::Logs | Kind::Insights => &["azuremonitor"],
        };
        for host in service.hosts.iter().filter(|host| faces.contains(&host.face)) {
            for subnet in user_subnets(model) {
                let port = if host.face == "file" { 445 } else { 443 };
                let flow = Flow::new(subnet.id.as_str(), &host.name, Some(port), Some("tcp"));
                let Ok(flow) = flow else { continue };
                found.extend(judge_private(model, &model.flow(&flow), service, host, subnet));
            }
        }
    }
    check(
        "private-by-name",
        "Every service is reached privately by its name from inside.",
        "Approve the private endpoint, link the zone to the network, and let its zone group write the record.",
        found,
    )
}

fn judge_private(
    model: &Model,
    answer: &Answer,
    service: &Service,
    host: &HostName,
    subnet: &Subnet,
) -> Option<(State, Evidence)> {
    // An endpoint of another service, or of another face of this one, answers to another name.
    let own = |id: &ResourceId| model.endpoints.iter().any(|one| one.id == *id && gap::leads_to(one, service, host));
    let private = answer.by.iter().any(|hop| hop.step == "endpoint" && hop.resource.as_ref().is_some_and(own));
    let state = match answer.verdict {
        Verdict::Allow if private => return None,
        Verdict::Unknown => State::Unknown,
        Verdict::Allow | Verdict::Deny => State::Fail,
    };
    if let Some(evidence) = gap::of(model, service, host, subnet) {
        return Some((state, evidence));
    }
    let culprit = answer.by.iter().find(|hop| hop.verdict != Verdict::Allow).or_else(|| answer.by.first());
    let resource = culprit.and_then(|hop| hop.resource.clone());
    let property = culprit.and_then(|hop| hop.rule.clone()).unwrap_or_else(|| host.name.clone());
    let why = match (answer.verdict, culprit) {
        (Verdict::Allow, Some(hop)) => {
            format!("it leads to no private endpoint of {}: {}", service.id.name(), hop.says)
        }
        _ => answer.reason.clone(),
    };
    let says = format!("{} from {}: {why}", host.name, subnet.name());
    Some((state, Evidence { resource, property, says }))
}

fn out_through_firewall(model: &Model) -> Check {
    let mut found = Vec::new();
    for (at, subnet) in model.subnets.iter().enumerate() {
        if RUN_BY_AZURE.iter().any(|name| subnet.is(name)) {
            continue;
        }
        let mut fail = |property: &str, says: String| {
            found.push((State::Fail, Evidence::new(&subnet.id, property, says)));
        };
        if subnet.default_outbound != Some(false) {
            fail("defaultOutboundAccess", format!("{} has implicit outbound access", subnet.name()));
        }
        if subnet.has_nat {
            fail("natGateway", format!("{} has a NAT gateway beside the firewall", subnet.name()));
        }
        for (service, _) in subnet.endpoints.iter().filter(|_| subnet.policies.is_empty()) {
            fail(
                "serviceEndpoints",
                format!("the endpoint {service} passes the firewall by, to every tenant's resources"),
            );
        }
        for route in &model.routes[at] {
            let leads_past = route.origin == Origin::User && matches!(route.hop, NextHop::Internet | NextHop::Other(_));
            if leads_past {
                fail(
                    &format!("routes/{}", route.name),
                    format!("route {} ({}) leads past the firewall", route.name, route.prefix),
                );
            }
        }
        for route in route::choose(&model.routes[at], &Party::Internet) {
            let to_firewall = match route.hop {
                NextHop::Appliance(address) => {
                    address.is_some() && model.firewalls.iter().any(|firewall| firewall.address == address)
                }
                // Over a service endpoint: judged above, by its policy.
                NextHop::Nowhere | NextHop::ServiceEndpoint => true,
                _ => false,
            };
            let said = route.origin == Origin::User && route.hop == NextHop::Internet;
            if !to_firewall && !said {
                let says = format!("the way out of {} leads to {}", subnet.name(), route.hop);
                fail(&format!("routeTable ({})", route.name), says);
            }
        }
    }
    found.extend(public_machines(model));
    check(
        "out-through-firewall",
        "Every way out passes the firewall.",
        "Route 0.0.0.0/0 of the subnet to the firewall, switch defaultOutboundAccess off, remove the other way.",
        found,
    )
}

/// Machines and computes with public addresses of their own.
fn public_machines(model: &Model) -> Vec<(State, Evidence)> {
    let mut found = Vec::new();
    for (id, body) in model.facts.iter().filter(|(id, _)| id.arm_type().ends_with("/workspaces/computes")) {
        let public = body.pointer("/properties/properties/enableNodePublicIp").and_then(serde_json::Value::as_bool);
        let networked = body.pointer("/properties/properties/subnet/id").is_some();
        if public == Some(true) || (public.is_none() && networked) {
            let says = format!("the compute {} has public addresses of its own", id.name());
            found.push((State::Fail, Evidence::new(id, "enableNodePublicIp", says)));
        }
    }
    for card in model.cards.iter().filter(|card| !card.publics.is_empty()) {
        let says = format!("the card {} has a public address of its own", card.id.name());
        found.push((State::Fail, Evidence::new(&card.id, "publicIPAddress", says)));
    }
    found
}

fn no_other_network(model: &Model, asked: &Asked) -> Check {
    let mut found = Vec::new();
    for network in &model.networks {
        let planned = asked.plan.as_ref().and_then(|plan| plan.networks.iter().find(|one| one.id == network.id));
        let known = |remote: &str| planned.is_some_and(|plan| plan.peerings.iter().any(|p| p.remote == remote));
        for peering in network.peerings.iter().filter(|peering| !known(&peering.remote)) {
            let says = format!("{} is joined with {}", network.id.name(), peering.remote);
            found.push((
                State::Fail,
                Evidence::new(&network.id, format!("virtualNetworkPeerings/{}", peering.name), says),
            ));
        }
        if network.has_gateway && !planned.is_some_and(|plan| plan.has_gateway) {
            let says = format!("a gateway links {} to other networks", network.id.name());
            found.push((State::Fail, Evidence::new(&network.id, "GatewaySubnet", says)));
        }
    }
    check(
        "no-other-network",
        "No other network is joined with this one.",
        "Remove the peering or gateway, or bring the other network's resources into the verification.",
        found,
    )
}

fn in_through_bastion(model: &Model) -> Check {
    let mut found = Vec::new();
    for firewall in &model.firewalls {
        for rule in &firewall.nat {
            let says = format!("{} translates from outside to a machine inside", rule.path);
            found.push((State::Fail, Evidence::new(&firewall.source, rule.path.clone(), says)));
        }
        if let Some(why) = &firewall.blind {
            found.push((State::Unknown, Evidence::new(&firewall.id, "firewallPolicy", why.clone())));
        }
    }
    for card in model.cards.iter().filter(|card| !card.publics.is_empty()) {
        let says = format!("the card {} is addressed from outside", card.id.name());
        found.push((State::Fail, Evidence::new(&card.id, "publicIPAddress", says)));
    }
    for front in &model.fronts {
        found.push((State::Unknown, Evidence::new(front, "properties", "may let traffic in, and is not evaluated")));
    }
    check("in-through-bastion", "Nothing leads in but Bastion.", "Remove the public address or the translation.", found)
}

fn allowlist(model: &Model, asked: &Asked) -> Check {
    const NAME: &str = "allowlist-as-asked";
    const TITLE: &str = "The firewall lets through what the allowlist and Azure ML ask for, and nothing else.";
    let Some(plan) = &asked.plan else { return skipped(NAME, TITLE, "no parameters are known to compare with") };
    let mut found = Vec::new();
    for firewall in &model.firewalls {
        if let Some(why) = &firewall.blind {
            found.push((State::Unknown, Evidence::new(&firewall.id, "firewallPolicy", why.clone())));
        }
    }
    let (have, want) = (model.openings(), plan.openings());
    for ((from, to, how), (resource, path)) in have.iter().filter(|(key, _)| !want.contains_key(*key)) {
        let says = format!("{path} lets {from} reach {to} ({how}), which nobody asked for");
        found.push((State::Fail, Evidence::new(resource, path.clone(), says)));
    }
    for ((from, to, how), (resource, path)) in want.iter().filter(|(key, _)| !have.contains_key(*key)) {
        let says = format!("{from} to {to} ({how}) was asked for by {path} and is not let through");
        found.push((State::Fail, Evidence::new(resource, path.clone(), says)));
    }
    check(NAME, TITLE, "Run `privaml apply`: it brings the rules back to what the parameters say.", found)
}

/// What differs between lines that are there and lines that were asked for.
fn differ(have: &Lines, want: &Lines, what: &str) -> Vec<(State, Evidence)> {
    let mut found = Vec::new();
    for (key, (resource, line)) in have {
        let says = match want.get(key) {
            Some((_, asked)) if asked == line => continue,
            Some((_, asked)) => format!("the {what} {} says `{line}`, asked for was `{asked}`", key.1),
            None => format!("nobody asked for the {what} {}: `{line}`", key.1),
        };
        found.push((State::Fail, Evidence::new(resource, key.1.clone(), says)));
    }
    for (key, (resource, line)) in want.iter().filter(|(key, _)| !have.contains_key(*key)) {
        found.push((
            State::Fail,
            Evidence::new(resource, key.1.clone(), format!("the {what} {} is gone: `{line}`", key.1)),
        ));
    }
    found
}

fn security_rules(model: &Model, asked: &Asked) -> Check {
    const NAME: &str = "security-rules-as-asked";
    const TITLE: &str = "Security groups say exactly what was asked for.";
    let Some(plan) = &asked.plan else { return skipped(NAME, TITLE, "no parameters are known to compare with") };
    let mut found = differ(&model.security_lines(), &plan.security_lines(), "rule");
    for (subnet, wanted) in twins(model, plan).filter(|(have, want)| have.group != want.group) {
        let says = unattached(subnet, "security group", wanted.group.as_deref());
        found.push((State::Fail, Evidence::new(&subnet.id, "networkSecurityGroup", says)));
    }
    check(NAME, TITLE, "Run `privaml apply`, or remove the rule that somebody added.", found)
}

fn routes(model: &Model, asked: &Asked) -> Check {
    const NAME: &str = "routes-as-asked";
    const TITLE: &str = "Route tables say exactly what was asked for.";
    let Some(plan) = &asked.plan else { return skipped(NAME, TITLE, "no parameters are known to compare with") };
    let mut found = differ(&model.route_lines(), &plan.route_lines(), "route");
    for (subnet, wanted) in twins(model, plan).filter(|(have, want)| have.table != want.table) {
        let says = unattached(subnet, "route table", wanted.table.as_deref());
        found.push((State::Fail, Evidence::new(&subnet.id, "routeTable", says)));
    }
    check(NAME, TITLE, "Run `privaml apply`, or remove the route that somebody added.", found)
}

fn unattached(subnet: &Subnet, what: &str, wanted: Option<&str>) -> String {
    match wanted.and_then(|key| key.rsplit('/').next()) {
        Some(name) => format!("{} has not the {what} that was asked for, {name}", subnet.name()),
        None => format!("{} has a {what} that nobody asked for", subnet.name()),
    }
}

fn settings(model: &Model, asked: &Asked) -> Check {
    const NAME: &str = "settings-as-asked";
    const TITLE: &str = "Firewall, DNS and the switches of services are set as asked for.";
    let Some(plan) = &asked.plan else { return skipped(NAME, TITLE, "no parameters are known to compare with") };
    let mut found = differ(&model.setting_lines(), &plan.setting_lines(), "setting");
    found.extend(switches::differing(model, plan).into_iter().map(|evidence| (State::Fail, evidence)));
    check(NAME, TITLE, "Run `privaml apply`: it brings the settings back to what the parameters say.", found)
}

fn twins<'m>(model: &'m Model, plan: &'m Model) -> impl Iterator<Item = (&'m Subnet, &'m Subnet)> {
    let twin = |subnet: &'m Subnet| Some((subnet, plan.subnets.iter().find(|other| other.id == subnet.id)?));
    model.subnets.iter().filter_map(twin)
}

#[cfg(test)]
mod tests;
