//! A flow that starts inside: name, security group, route, firewall, security group, service. Each step is one hop;
//! the first that says no ends it. The order is that of a packet (network security groups, virtual network routing).

use super::choice::Verdict;
use super::flow::{Answer, Flow, Hop};
use super::model::Model;
use super::nsg::Packet;
use super::party::{HOST_ADDRESS, METADATA_ADDRESS, Party};
use super::place::{Aim, Source, Target};
use super::route::{self, NextHop, Origin, Prefix, Route};
use super::span::Span;

/// Who arrives at a service, as the service sees it.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// Anybody.
    Anyone,
    /// A public address of these resources; `None` while Azure has not chosen it.
    Public(Option<Span>),
    /// A subnet over its service endpoint: its key.
    Subnet(String),
}

/// One machine or subnet of the model that starts a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub span: Span,
    pub subnet: usize,
    pub card: Option<usize>,
}

impl Model {
    /// Whether a flow gets through, and by which steps.
    #[must_use]
    pub fn flow(&self, flow: &Flow) -> Answer {
        let source = match self.source(&flow.from) {
            Ok(source) => source,
            Err(why) => return Answer::unknown(why),
        };
        let aim = match self.aim(flow) {
            Ok(aim) => aim,
            Err(why) => return Answer::unknown(why),
        };
        match source {
            Source::Internet => self.of_internet(flow, aim),
            Source::Connected(span) => self.of_connected(flow, span, aim),
            Source::Subnet { spans, subnet, card } => {
                let ways = spans.into_iter().map(|span| self.of_subnet(flow, Start { span, subnet, card }, &aim));
                Answer::either(ways.collect())
            }
        }
    }

    /// Whether both ends of a flow are places of this model.
    ///
    /// # Errors
    /// Says which end is not, and why.
    pub fn knows(&self, flow: &Flow) -> Result<(), String> {
        self.source(&flow.from)?;
        self.aim(flow).map(|_| ())
    }

    fn of_subnet(&self, flow: &Flow, start: Start, aim: &Aim) -> Answer {
        if let Some(missing) = self.is_blind(start.subnet) {
            return Answer::unknown(format!("{missing} belongs to the subnet and is not among the resources"));
        }
        let named = |host: &str, service: Option<usize>| {
            let ways = self.resolve(start.subnet, host, service).into_iter().map(|(hop, target)| match target {
                Some(target) => self.leave(flow, start, &target, vec![hop]),
                None => Answer::of(vec![hop]),
            });
            Answer::either(ways.collect())
        };
        match aim {
            Aim::Host(host) => named(host, self.service_of(host)),
            Aim::Service(at, host) => named(host, Some(*at)),
            Aim::Place(targets) => {
                Answer::either(targets.iter().map(|target| self.leave(flow, start, target, Vec::new())).collect())
            }
            Aim::Bastion(at) => {
                let subnet = self.bastions[*at].subnet.as_deref().and_then(|key| self.subnet(key));
                self.leave_for(flow, start, subnet, "the subnet of Azure Bastion is not among the resources")
            }
            Aim::Firewall(at) => {
                let subnet = self.firewalls[*at].subnet.as_deref().and_then(|key| self.subnet(key));
                self.leave_for(flow, start, subnet, "the firewall's subnet is not among the resources")
            }
        }
    }

    fn leave_for(&self, flow: &Flow, start: Start, subnet: Option<usize>, why: &str) -> Answer {
        let span = subnet.and_then(|at| self.subnets[at].span());
        match span {
            Some(span) => self.leave(flow, start, &Target { subnet, ..self.at(span) }, Vec::new()),
            None => Answer::unknown(why),
        }
    }

    /// From the start to a target whose address is decided.
    fn leave(&self, flow: &Flow, start: Start, target: &Target, mut hops: Vec<Hop>) -> Answer {
        if let Some(answer) = self.platform(flow, start, target, &hops) {
            return answer;
        }
        self.out(flow, start, target, &mut hops);
        if hops.iter().any(|hop| hop.verdict == Verdict::Deny) {
            return Answer::of(hops);
        }
        let routes = self.routes_to(start, target);
        if routes.is_empty() {
            hops.push(Hop {
                says: "no route leads there".to_owned(),
                ..self.hop(start.subnet, "route", Verdict::Deny)
            });
            return Answer::of(hops);
        }
        let ways = routes.iter().map(|route| self.follow(flow, start, target, route, hops.clone()));
        Answer::either(ways.collect())
    }

    /// Azure's own addresses never leave the host: no route, no firewall, and no ordinary rule acts on them.
    fn platform(&self, flow: &Flow, start: Start, target: &Target, hops: &[Hop]) -> Option<Answer> {
        let Party::Within(span) = target.party else { return None };
        let mut hops = hops.to_vec();
        if span != HOST_ADDRESS && span != METADATA_ADDRESS {
            let local = ["169.254.0.0/16", "127.0.0.0/8"].iter().filter_map(|text| Span::parse(text));
            let never_leaves = local.into_iter().any(|range| range.contains(span));
            let says = format!("{span} is a link-local or loopback address, which no network carries");
            hops.push(Hop { says, ..self.hop(start.subnet, "route", Verdict::Deny) });
            return never_leaves.then(|| Answer::of(hops));
        }
        let packet = Packet {
            from: &Party::Within(start.span),
            to: &target.party,
            port: flow.port,
            transport: flow.protocol.transport(),
        };
        for group in self.groups_of(start.subnet, start.card) {
            let choice = group.decide_platform(&packet, &self.scopes[start.subnet]);
            let Some(rule) = choice.decided.or(choice.doubt) else { continue };
            let verdict = if choice.decided.is_some() { choice.verdict } else { Verdict::Unknown };
            let says = format!("rule {} of {} is for Azure's own address {span}", rule.name, group.id.name());
            hops.push(Hop {
                step: "nsg-out",
                resource: Some(group.id.clone()),
                rule: Some(rule.name.clone()),
                verdict,
                says,
            });
        }
        let says = format!("{span} is Azure's own address on every host: routes and ordinary rules do not apply");
        hops.push(Hop { says, ..self.hop(start.subnet, "route", Verdict::Allow) });
        Some(Answer::of(hops))
    }

    /// Outbound rules: the card's group first, then the subnet's.
    fn out(&self, flow: &Flow, start: Start, target: &Target, hops: &mut Vec<Hop>) {
        let packet = Packet {
            from: &Party::Within(start.span),
            to: &target.party,
            port: flow.port,
            transport: flow.protocol.transport(),
        };
        self.judge_groups(start.subnet, start.card, false, &packet, hops);
    }

    /// Inbound rules at a target in a subnet of the model.
    pub(super) fn arrive(&self, flow: &Flow, from: &Party, target: &Target, hops: &mut Vec<Hop>) {
        let Some(subnet) = target.subnet else { return };
        if let Some(at) = target.endpoint
            && !self.subnets[subnet].guards_endpoints
        {
            let says = "security groups do not act on private endpoints in this subnet".to_owned();
            let rule = Some("privateEndpointNetworkPolicies".to_owned());
            hops.push(Hop { rule, says, ..self.hop(subnet, "nsg-in", Verdict::Allow) });
            self.endpoint_hop(at, hops);
            return;
        }
        if let Some(missing) = self.is_blind(subnet) {
            hops.push(Hop {
                says: format!("{missing} is not among the resources"),
                ..self.hop(subnet, "nsg-in", Verdict::Unknown)
            });
        }
        let packet = Packet { from, to: &target.party, port: flow.port, transport: flow.protocol.transport() };
        self.judge_groups(subnet, target.card, true, &packet, hops);
        if let Some(at) = target.endpoint {
            self.endpoint_hop(at, hops);
        }
    }

    fn endpoint_hop(&self, at: usize, hops: &mut Vec<Hop>) {
        use super::endpoint::Approval;
        let endpoint = &self.endpoints[at];
        let (verdict, state) = match endpoint.approval {
            Approval::Approved => (Verdict::Allow, "approved"),
            Approval::Pending => (Verdict::Deny, "not approved yet"),
            Approval::Refused => (Verdict::Deny, "rejected or disconnected"),
        };
        let says = format!("the private endpoint {} to {} is {state}", endpoint.id.name(), endpoint.target.name());
        let rule = Some("privateLinkServiceConnectionState".to_owned());
        hops.push(Hop { step: "endpoint", resource: Some(endpoint.id.clone()), rule, verdict, says });
    }

    /// Groups that act on a place: both must allow.
    fn groups_of(&self, subnet: usize, card: Option<usize>) -> Vec<&super::nsg::SecurityGroup> {
        let keys = [card.and_then(|at| self.cards[at].group.as_ref()), self.subnets[subnet].group.as_ref()];
        keys.into_iter().flatten().filter_map(|key| self.groups.get(key)).collect()
    }

    pub(super) fn judge_groups(
        &self,
        subnet: usize,
        card: Option<usize>,
        inbound: bool,
        packet: &Packet,
        hops: &mut Vec<Hop>,
    ) {
        let step = if inbound { "nsg-in" } else { "nsg-out" };
        let mut groups = self.groups_of(subnet, card);
        if inbound {
            groups.reverse();
        }
        if groups.is_empty() {
            let says = format!("no security group acts on {}", self.subnets[subnet].name());
            hops.push(Hop { says, ..self.hop(subnet, step, Verdict::Allow) });
        }
        for group in groups {
            let choice = group.decide(inbound, packet, &self.scopes[subnet]);
            let ends = choice.decided.map_or("no rule", |rule| rule.name.as_str());
            let says = match choice.doubt {
                Some(doubt) => format!(
                    "rule {} of {} may match {}, and says otherwise than {ends}",
                    doubt.name,
                    group.id.name(),
                    packet.to
                ),
                None => format!("rule {ends} of {} says {}", group.id.name(), choice.verdict),
            };
            let rule = choice.doubt.or(choice.decided).map(|rule| rule.name.clone());
            hops.push(Hop { step, resource: Some(group.id.clone()), rule, verdict: choice.verdict, says });
        }
    }

    /// The routes that may carry the flow.
    fn routes_to(&self, start: Start, target: &Target) -> Vec<Route> {
        let routes = &self.routes[start.subnet];
        let chosen = route::choose(routes, &target.party);
        let Some(endpoint) = target.endpoint else { return chosen.into_iter().cloned().collect() };
        // Azure adds a route for each private endpoint, of full length, to its network and the peers.
        let Some(at) = target.subnet else { return Vec::new() };
        let home = &self.subnets[at];
        let reaches = |route: &&Route| matches!(route.hop, NextHop::Local | NextHop::Peering(_));
        let direct = routes.iter().filter(reaches).any(|route| match (&route.prefix, &target.party) {
            (Prefix::Span(span), Party::Within(own)) => span.contains(*own),
            _ => false,
        });
        let here = home.network == self.subnets[start.subnet].network;
        let overridden = |route: &&Route| {
            let Prefix::Span(span) = &route.prefix else { return false };
            let Party::Within(own) = &target.party else { return false };
            let network = self.networks[home.network].ranges.iter().find(|range| range.contains(*own));
            let long = home.routes_endpoints && network.is_some_and(|range| span.bits() >= range.bits());
            route.origin == Origin::User && span.contains(*own) && (long || (span.is_one() && own.is_one()))
        };
        if let Some(user) = chosen.iter().copied().find(overridden) {
            return vec![user.clone()];
        }
        if here || direct {
            let prefix = Prefix::Tag(super::tag::Tag::new("private-endpoint"));
            let name = format!("private endpoint {}", self.endpoints[endpoint].id.name());
            return vec![Route { name, prefix, hop: NextHop::Local, origin: Origin::System, near: false }];
        }
        chosen.into_iter().cloned().collect()
    }

    fn follow(&self, flow: &Flow, start: Start, target: &Target, route: &Route, mut hops: Vec<Hop>) -> Answer {
        let verdict = Verdict::of(route.hop != NextHop::Nowhere);
        let table = self.subnets[start.subnet].table.as_ref().and_then(|key| self.tables.get(key));
        let resource = table.filter(|_| route.origin == Origin::User).map(|table| table.id.clone());
        let says = match &route.prefix {
            Prefix::Tag(tag) if tag.is("private-endpoint") => format!("{} has a route of its own", route.name),
            prefix => format!("route {} ({prefix}) leads to {}", route.name, route.hop),
        };
        let resource = resource.or_else(|| Some(self.subnets[start.subnet].id.clone()));
        hops.push(Hop { step: "route", resource, rule: Some(route.name.clone()), verdict, says });
        let from = Party::Within(start.span);
        match &route.hop {
            NextHop::Nowhere => {}
            NextHop::Local => self.inside(flow, start, target, &from, &mut hops),
            NextHop::Peering(remote) => self.peer(flow, target, remote, &from, &mut hops),
            NextHop::Internet => self.straight(start, target, &mut hops),
            NextHop::ServiceEndpoint => self.over_endpoint(start, target, &mut hops),
            NextHop::Appliance(address) => return self.appliance(flow, start, target, *address, hops),
            NextHop::Gateway => self.gateway(start, target, &mut hops),
            NextHop::Other(word) => {
                let says = format!("not evaluated: the next hop {word}");
                hops.push(Hop { says, ..self.hop(start.subnet, "route", Verdict::Unknown) });
            }
        }
        Answer::of(hops)
    }

    fn inside(&self, flow: &Flow, start: Start, target: &Target, from: &Party, hops: &mut Vec<Hop>) {
        if target.subnet.is_some() {
            self.arrive(flow, from, target, hops);
            return;
        }
        let says = format!("{} is in the network's ranges but in no subnet, or not in one only", target.party);
        let verdict = match target.party {
            Party::Within(span) if span.is_one() => Verdict::Deny,
            _ => Verdict::Unknown,
        };
        hops.push(Hop { says, ..self.hop(start.subnet, "route", verdict) });
    }

    fn peer(&self, flow: &Flow, target: &Target, remote: &str, from: &Party, hops: &mut Vec<Hop>) {
        if target.subnet.is_some() {
            self.arrive(flow, from, target, hops);
            return;
        }
        let known = self.networks.iter().any(|network| network.id.key() == remote);
        let (verdict, says) = if known {
            (Verdict::Deny, format!("{} is in no subnet of the peered network", target.party))
        } else {
            (Verdict::Unknown, format!("not evaluated: the rules of the peered network {remote}"))
        };
        hops.push(Hop { step: "inbound", resource: None, rule: None, verdict, says });
    }

    /// A hop of a subnet, to be completed.
    pub(super) fn hop(&self, subnet: usize, step: &'static str, verdict: Verdict) -> Hop {
        Hop { step, resource: Some(self.subnets[subnet].id.clone()), rule: None, verdict, says: String::new() }
    }
}
