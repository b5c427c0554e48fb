//! The ways out of a subnet: straight to the Internet, over a service endpoint, through a gateway, through a firewall.

use super::choice::Verdict;
use super::filter::{self, Seen};
use super::firewall::Firewall;
use super::flow::{Answer, Flow, Hop};
use super::model::Model;
use super::party::Party;
use super::place::Target;
use super::span::{Span, Tri};
use super::walk::{Caller, Start};

impl Model {
    /// Straight to the Internet: somebody must lend a public address.
    pub(super) fn straight(&self, start: Start, target: &Target, hops: &mut Vec<Hop>) {
        let subnet = &self.subnets[start.subnet];
        if let Party::Within(span) = target.party
            && span.is_public() == Tri::No
        {
            let says = format!("{span} is private, and the Internet carries no private address");
            hops.push(Hop { says, ..self.hop(start.subnet, "route", Verdict::Deny) });
            return;
        }
        let of_card = |card: &super::network::Card| card.subnet == subnet.id.key() && !card.publics.is_empty();
        let lent = match start.card {
            Some(at) => Some(&self.cards[at]).filter(|card| of_card(card)),
            None => self.cards.iter().find(|card| of_card(card)),
        };
        let service = ["AzureFirewallSubnet", "AzureBastionSubnet", "GatewaySubnet"].iter().any(|name| subnet.is(name));
        let (verdict, rule, says) = if subnet.has_nat {
            (Verdict::Allow, "natGateway", "the NAT gateway lends a public address".to_owned())
        } else if let Some(card) = lent {
            (Verdict::Allow, "publicIPAddress", format!("the card {} has a public address", card.id.name()))
        } else if service {
            (Verdict::Allow, "publicIPAddress", format!("the service in {} has a public address", subnet.name()))
        } else if subnet.default_outbound == Some(false) {
            (
                Verdict::Deny,
                "defaultOutboundAccess",
                "the subnet is private and nothing lends a public address".to_owned(),
            )
        } else {
            (Verdict::Allow, "defaultOutboundAccess", "Azure lends an implicit public address".to_owned())
        };
        hops.push(Hop { rule: Some(rule.to_owned()), says, ..self.hop(start.subnet, "outbound", verdict) });
        if verdict == Verdict::Allow {
            let public = lent.and_then(|card| self.public(card.publics.first()?)?.address);
            self.at_service(target, &Caller::Public(public), hops);
        }
    }

    /// Over a service endpoint, past every route and firewall; a policy may name the accounts that it reaches.
    pub(super) fn over_endpoint(&self, start: Start, target: &Target, hops: &mut Vec<Hop>) {
        let subnet = &self.subnets[start.subnet];
        for key in &subnet.policies {
            let Some(policy) = self.policies.get(key) else {
                let says = format!("{key} is not among the resources");
                hops.push(Hop { says, ..self.hop(start.subnet, "endpoint", Verdict::Unknown) });
                continue;
            };
            let account = target.service.map(|at| &self.services[at].id);
            let listed = account.is_some_and(|id| policy.resources.iter().any(|scope| id.is_within(scope)));
            let (verdict, says) = if listed {
                (Verdict::Allow, format!("the service endpoint policy {} names the account", policy.id.name()))
            } else if target.host.is_some() || account.is_some() {
                let aliases = policy.aliases.join(", ");
                let but =
                    if aliases.is_empty() { String::new() } else { format!(", and {aliases} means Microsoft's own") };
                (
                    Verdict::Deny,
                    format!("the service endpoint policy {} does not name the account{but}", policy.id.name()),
                )
            } else {
                (
                    Verdict::Unknown,
                    format!("the service endpoint policy {} lets some accounts through", policy.id.name()),
                )
            };
            let rule = Some("serviceResources".to_owned());
            hops.push(Hop { step: "endpoint", resource: Some(policy.id.clone()), rule, verdict, says });
        }
        if hops.iter().all(|hop| hop.verdict != Verdict::Deny) {
            self.at_service(target, &Caller::Subnet(subnet.id.key()), hops);
        }
    }

    pub(super) fn gateway(&self, start: Start, target: &Target, hops: &mut Vec<Hop>) {
        let known =
            matches!(target.party, Party::Within(span) if self.on_premises.iter().any(|range| range.contains(span)));
        let (verdict, says) = if known {
            (Verdict::Allow, "the gateway carries it to the connected network".to_owned())
        } else {
            (Verdict::Unknown, "not evaluated: what lies behind the gateway".to_owned())
        };
        hops.push(Hop { says, ..self.hop(start.subnet, "outbound", verdict) });
    }

    pub(super) fn appliance(
        &self,
        flow: &Flow,
        start: Start,
        target: &Target,
        address: Option<Span>,
        mut hops: Vec<Hop>,
    ) -> Answer {
        let firewall = self.firewalls.iter().find(|firewall| address.is_some() && firewall.address == address);
        let Some(firewall) = firewall else {
            let at = address.map_or_else(|| "without address".to_owned(), |address| address.to_string());
            let says = format!("not evaluated: the appliance {at} is no firewall of these resources");
            hops.push(Hop { says, ..self.hop(start.subnet, "firewall", Verdict::Unknown) });
            return Answer::of(hops);
        };
        let from = Party::Within(start.span);
        let seen = Seen {
            from: &from,
            to: &target.party,
            host: target.host.as_deref(),
            port: flow.port,
            transport: flow.protocol.transport(),
            web: flow.protocol.web(),
        };
        let filtered = filter::judge(firewall, &seen);
        let name = firewall.id.name();
        let says = match (filtered.verdict, filtered.named) {
            (Verdict::Allow, _) => format!("{name}: rule {} allows it", filtered.rule),
            (Verdict::Deny, true) => format!("{name}: rule {} denies it", filtered.rule),
            _ => format!("{name}: {}", filtered.rule),
        };
        hops.push(Hop {
            step: "firewall",
            resource: Some(firewall.source.clone()),
            rule: Some(filtered.rule),
            verdict: filtered.verdict,
            says,
        });
        if filtered.verdict == Verdict::Deny {
            return Answer::of(hops);
        }
        if let Some(at) = target.subnet {
            self.beyond(firewall, at, &mut hops);
            // An application rule makes the firewall speak for itself, a network rule hands the packet on.
            let own =
                firewall.subnet.as_deref().and_then(|key| self.subnet(key)).and_then(|at| self.subnets[at].span());
            let from = own.filter(|_| filtered.by_web).map_or(from, Party::Within);
            self.arrive(flow, &from, target, &mut hops);
        } else if matches!(target.party, Party::Within(span) if span.is_public() == Tri::No) {
            let says = format!("{} is in no subnet that the firewall reaches", target.party);
            hops.push(Hop { says, ..self.hop(start.subnet, "inbound", Verdict::Unknown) });
        } else {
            let public = firewall.publics.first().and_then(|key| self.public(key)?.address);
            self.at_service(target, &Caller::Public(public), &mut hops);
        }
        Answer::of(hops)
    }

    /// A firewall reaches its own network and the peers.
    fn beyond(&self, firewall: &Firewall, subnet: usize, hops: &mut Vec<Hop>) {
        let home = firewall.subnet.as_deref().and_then(|key| self.subnet(key)).map(|own| self.subnets[own].network);
        if home.is_some_and(|home| !self.are_joined(home, self.subnets[subnet].network)) {
            let says = format!("not evaluated: how {} reaches {}", firewall.id.name(), self.subnets[subnet].name());
            hops.push(Hop { says, ..self.hop(subnet, "route", Verdict::Unknown) });
        }
    }
}
