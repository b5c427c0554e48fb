//! A flow that starts outside: the services' own switches, Bastion, the firewall's translations, public addresses on
//! machines. Nothing else leads in.

use super::choice::Verdict;
use super::filter;
use super::flow::{Answer, Flow, Hop};
use super::model::Model;
use super::nsg::Packet;
use super::party::{Party, Scope};
use super::place::{Aim, Target};
use super::route::{self, NextHop};
use super::service::Access;
use super::span::{Span, Tri};
use super::walk::Caller;

impl Model {
    pub(super) fn of_internet(&self, flow: &Flow, aim: Aim) -> Answer {
        match aim {
            Aim::Service(at, _) => self.switch(at, &Caller::Anyone),
            Aim::Host(host) => match self.service_of(&host) {
                Some(at) => self.switch(at, &Caller::Anyone),
                None => Answer::unknown(format!("{host} is not part of these resources")),
            },
            Aim::Bastion(at) => self.to_bastion(flow, at),
            Aim::Firewall(at) => self.to_firewall(flow, at, None),
            Aim::Place(targets) => {
                let ways = targets.iter().map(|target| self.to_place(flow, target));
                Answer::either(ways.collect())
            }
        }
    }

    fn to_place(&self, flow: &Flow, target: &Target) -> Answer {
        let Party::Within(span) = target.party else {
            return Answer::unknown(format!("{} is not part of these resources", target.party));
        };
        if let Some(public) = self.publics.iter().find(|public| public.address == Some(span)) {
            return self.to_public(flow, &public.id.key());
        }
        if let Some(subnet) = target.subnet {
            return self.to_private(flow, target, span, subnet);
        }
        if span.is_public() == Tri::No {
            let says = format!("{span} is private, and the Internet carries no private address");
            return Answer::of(vec![Hop { step: "inbound", resource: None, rule: None, verdict: Verdict::Deny, says }]);
        }
        Answer::unknown(format!("{span} is not part of these resources"))
    }

    fn to_public(&self, flow: &Flow, key: &str) -> Answer {
        if let Some(at) = self.bastions.iter().position(|bastion| bastion.public.as_deref() == Some(key)) {
            return self.to_bastion(flow, at);
        }
        if let Some(at) = self.firewalls.iter().position(|firewall| firewall.publics.iter().any(|public| public == key))
        {
            let address = self.public(key).and_then(|public| public.address);
            return self.to_firewall(flow, at, address);
        }
        match self.cards.iter().position(|card| card.publics.iter().any(|public| public == key)) {
            Some(card) => self.to_card(flow, card),
            None if self.fronts.is_empty() => {
                let says = "the public address belongs to nothing".to_owned();
                Answer::of(vec![Hop { step: "inbound", resource: None, rule: None, verdict: Verdict::Deny, says }])
            }
            None => Answer::unknown("not evaluated: the load balancer that may have this address"),
        }
    }

    /// Ways to a machine: its own public address, or a translation of a firewall. A stranger tries them all.
    fn to_private(&self, flow: &Flow, target: &Target, span: Span, subnet: usize) -> Answer {
        if let Some(at) = self.bastions.iter().position(|bastion| bastion.subnet == Some(self.subnets[subnet].id.key()))
        {
            return self.to_bastion(flow, at);
        }
        let here = |card: &super::network::Card| {
            let at = card.addresses.is_empty() || card.addresses.iter().any(|address| span.contains(*address));
            card.subnet == self.subnets[subnet].id.key() && at && !card.publics.is_empty()
        };
        let cards = match target.card {
            Some(card) => {
                if self.cards[card].publics.is_empty() {
                    Vec::new()
                } else {
                    vec![card]
                }
            }
            None => (0..self.cards.len()).filter(|at| here(&self.cards[*at])).collect(),
        };
        let mut ways: Vec<Answer> = cards.into_iter().map(|card| self.to_card(flow, card)).collect();
        for firewall in &self.firewalls {
            if let Some(why) = &firewall.blind {
                ways.push(Answer::unknown(why.clone()));
            }
            let found = filter::translated(firewall, span, flow.port, flow.protocol.transport());
            if let Some((sure, rule)) = found {
                ways.push(self.through(flow, firewall, sure, &rule.path, target, subnet));
            }
        }
        if !self.fronts.is_empty() {
            ways.push(Answer::unknown(format!("not evaluated: {}", self.fronts[0])));
        }
        Answer::best(ways).unwrap_or_else(|| {
            let says = format!(
                "nothing leads in: no machine in {} has a public address, and no firewall translates to it",
                self.subnets[subnet].name()
            );
            Answer::of(vec![Hop { says, ..self.hop(subnet, "inbound", Verdict::Deny) }])
        })
    }

    /// Through a firewall's translation: it speaks for itself to the machine.
    fn through(
        &self,
        flow: &Flow,
        firewall: &super::firewall::Firewall,
        sure: Tri,
        rule: &str,
        target: &Target,
        subnet: usize,
    ) -> Answer {
        let verdict = if sure == Tri::Yes { Verdict::Allow } else { Verdict::Unknown };
        let says = format!("{}: {rule} translates to {}", firewall.id.name(), target.party);
        let mut hops = vec![Hop {
            step: "firewall",
            resource: Some(firewall.source.clone()),
            rule: Some(rule.to_owned()),
            verdict,
            says,
        }];
        let own = firewall.subnet.as_deref().and_then(|key| self.subnet(key)).and_then(|at| self.subnets[at].span());
        let from = own.map_or(Party::Internet, Party::Within);
        self.arrive(flow, &from, &Target { subnet: Some(subnet), ..target.clone() }, &mut hops);
        Answer::of(hops)
    }

    fn to_firewall(&self, flow: &Flow, at: usize, address: Option<Span>) -> Answer {
        let firewall = &self.firewalls[at];
        if let Some(why) = &firewall.blind {
            return Answer::unknown(why.clone());
        }
        let word = flow.protocol.transport().word();
        let mut ways = Vec::new();
        for rule in &firewall.nat {
            let protocol = Tri::of(rule.protocols.iter().any(|p| p == "any" || p == word));
            let here = address.map_or(Tri::Yes, |address| rule.to.has(&Party::Within(address), &Scope::default()));
            let from = rule.from.has(&Party::Internet, &Scope::default());
            let sure = protocol.and(rule.ports.has(flow.port)).and(from).and(here);
            let target = rule.address.map(|address| self.at(address));
            match (sure, target.as_ref().and_then(|target| target.subnet)) {
                (Tri::No, _) => {}
                (_, Some(subnet)) => {
                    let flow = Flow { port: rule.port.or(flow.port), ..flow.clone() };
                    let target = target.unwrap_or_else(|| self.at(Span::ALL));
                    ways.push(self.through(&flow, firewall, sure, &rule.path, &target, subnet));
                }
                (_, None) => {
                    ways.push(Answer::unknown(format!("{} translates to a place that is not known", rule.path)));
                }
            }
        }
        Answer::best(ways).unwrap_or_else(|| {
            let says = format!("{}: no translation is for this port", firewall.id.name());
            Answer::of(vec![Hop {
                step: "firewall",
                resource: Some(firewall.source.clone()),
                rule: None,
                verdict: Verdict::Deny,
                says,
            }])
        })
    }

    fn to_bastion(&self, flow: &Flow, at: usize) -> Answer {
        let bastion = &self.bastions[at];
        let Some(subnet) = bastion.subnet.as_deref().and_then(|key| self.subnet(key)) else {
            return Answer::unknown("the subnet of Azure Bastion is not among the resources");
        };
        let Some(span) = self.subnets[subnet].span() else { return Answer::unknown("the subnet has no IPv4 range") };
        let open = flow.port == Some(443) && flow.protocol.transport() == super::nsg::Transport::Tcp;
        let says = if open { "Bastion's page for signed-in users" } else { "Bastion listens on TCP 443 only" };
        let mut hops = vec![Hop {
            step: "inbound",
            resource: Some(bastion.id.clone()),
            rule: None,
            verdict: Verdict::of(open),
            says: says.to_owned(),
        }];
        if open {
            let packet = Packet {
                from: &Party::Internet,
                to: &Party::Within(span),
                port: flow.port,
                transport: flow.protocol.transport(),
            };
            self.judge_groups(subnet, None, true, &packet, &mut hops);
        }
        Answer::of(hops)
    }

    /// To a machine's own public address. A Standard one is closed without a security group, and a default route to
    /// an appliance takes the answers another way (virtual network traffic routing).
    fn to_card(&self, flow: &Flow, at: usize) -> Answer {
        let card = &self.cards[at];
        let Some(subnet) = self.subnet(&card.subnet) else { return Answer::unknown("the card's subnet is not known") };
        let says = format!("the card {} has a public address", card.id.name());
        let rule = Some("publicIPAddress".to_owned());
        let mut hops =
            vec![Hop { step: "inbound", resource: Some(card.id.clone()), rule, verdict: Verdict::Allow, says }];
        if card.group.is_none() && self.subnets[subnet].group.is_none() {
            let says = "a public address without a security group is closed".to_owned();
            hops.push(Hop { says, ..self.hop(subnet, "nsg-in", Verdict::Deny) });
            return Answer::of(hops);
        }
        let Some(span) = card.addresses.first().copied().or_else(|| self.subnets[subnet].span()) else {
            return Answer::unknown("the card has no IPv4 address");
        };
        let packet = Packet {
            from: &Party::Internet,
            to: &Party::Within(span),
            port: flow.port,
            transport: flow.protocol.transport(),
        };
        self.judge_groups(subnet, Some(at), true, &packet, &mut hops);
        let back = route::choose(&self.routes[subnet], &Party::Internet);
        if let [only] = back.as_slice()
            && only.hop != NextHop::Internet
        {
            let says = format!("answers would go to {}, by the route {}", only.hop, only.name);
            hops.push(Hop { rule: Some(only.name.clone()), says, ..self.hop(subnet, "route", Verdict::Deny) });
        }
        Answer::of(hops)
    }

    /// From a peer or from behind a gateway that is not among the resources: only what these resources say counts.
    pub(super) fn of_connected(&self, flow: &Flow, span: Span, aim: Aim) -> Answer {
        let targets = match aim {
            Aim::Place(targets) => targets,
            Aim::Service(at, _) => {
                let service = &self.services[at];
                let faces = self.endpoints.iter().enumerate().filter(|(_, e)| e.target == service.id);
                faces.filter_map(|(at, _)| self.endpoint_target(at, None)).collect()
            }
            _ => Vec::new(),
        };
        let inside: Vec<&Target> = targets.iter().filter(|target| target.subnet.is_some()).collect();
        if inside.is_empty() {
            return Answer::unknown("what a connected network does elsewhere is not evaluated");
        }
        let ways = inside.into_iter().map(|target| {
            let says = format!("{span} is in a network that is connected to this one");
            let mut hops = vec![Hop { step: "inbound", resource: None, rule: None, verdict: Verdict::Allow, says }];
            self.arrive(flow, &Party::Within(span), target, &mut hops);
            Answer::of(hops)
        });
        Answer::either(ways.collect())
    }

    fn switch(&self, at: usize, caller: &Caller) -> Answer {
        let mut hops = Vec::new();
        let target =
            Target { party: Party::Internet, subnet: None, card: None, endpoint: None, service: Some(at), host: None };
        self.at_service(&target, caller, &mut hops);
        Answer::of(hops)
    }

    /// What a service's own switches say to somebody who comes to its public address.
    pub(super) fn at_service(&self, target: &Target, caller: &Caller, hops: &mut Vec<Hop>) {
        let Some(service) = target.service.map(|at| &self.services[at]) else { return };
        let name = service.id.name();
        let (verdict, rule, says) = match &service.access {
            Access::Open(why) => (Verdict::Allow, why.clone(), format!("{name} is open to the public: {why}")),
            Access::Closed(why) => (Verdict::Deny, why.clone(), format!("{name} is closed to the public: {why}")),
            Access::Unknown(why) => (Verdict::Unknown, why.clone(), format!("not evaluated: {why}")),
            Access::Limited { addresses, subnets, why } => {
                let verdict = match caller {
                    Caller::Subnet(key) => Verdict::of(subnets.contains(key)),
                    _ if addresses.is_empty() => Verdict::Deny,
                    Caller::Public(Some(address)) => match addresses.covers(*address) {
                        Tri::No => Verdict::Deny,
                        // Rules on addresses do not act on callers of the same region.
                        Tri::Yes | Tri::Maybe => Verdict::Unknown,
                    },
                    Caller::Public(None) | Caller::Anyone => Verdict::Unknown,
                };
                let list: Vec<String> = addresses.iter().map(|span| span.to_string()).collect();
                (verdict, why.clone(), format!("{name} lets some in only ({why}): {}", list.join(", ")))
            }
        };
        hops.push(Hop { step: "service", resource: Some(service.id.clone()), rule: Some(rule), verdict, says });
    }
}
