//! Where everything stands: outside, doors, work, services from left to right. Computes, draws nothing.

use super::texts::{fit, width};
use super::ways::{Sides, has_label};
use crate::isolation::{Member, MemberKind, NetworkZone, SubnetZone, Topology};

pub(super) const PAD: f64 = 14.0;
const GAP: f64 = 16.0;
const LINE: f64 = 17.0;
/// Size of names.
pub(super) const NAME: f64 = 13.0;
/// Size of everything else.
pub(super) const SMALL: f64 = 12.0;
/// Widest text of a box.
const WIDEST: f64 = 250.0;
pub(super) const LANE: f64 = 12.0;
pub(super) const TOP: f64 = 104.0;
const PILL: f64 = 26.0;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

impl Rect {
    pub(super) fn right(&self) -> f64 {
        self.x + self.w
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.h
    }

    pub(super) fn middle(&self) -> f64 {
        self.y + self.h / 2.0
    }
}

/// A box with its texts: line and whether it is the name.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub key: String,
    pub class: &'static str,
    pub rect: Rect,
    pub texts: Vec<(String, bool)>,
    /// Whole name, where the text is shortened.
    pub title: String,
    /// Index of the shape it stands in.
    pub inside: Option<usize>,
}

/// A way with its corners.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub class: &'static str,
    pub points: Vec<(f64, f64)>,
    pub label: String,
    /// Where the label begins: left end of its base line.
    pub at: (f64, f64),
}

/// Everything, placed.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    pub shapes: Vec<Shape>,
    pub lines: Vec<Line>,
    pub width: f64,
    pub height: f64,
}

/// Places everything.
pub(super) fn place(topology: &Topology) -> Scene {
    let mut scene = Scene::default();
    let count = |side: fn(&Sides) -> bool| topology.ways.iter().filter(|way| side(&Sides::of(topology, way))).count();
    let gutters = [
        gutter(topology, count(|s| s.0 == 0), |s| s.0 == 0),
        gutter(topology, count(|s| s.0 == 1), |s| s.0 == 1),
        gutter(topology, count(|s| s.0 == 2), |s| s.0 == 2),
    ];
    let outside_w = widest(topology.outside.iter());
    let networks_x = PAD + outside_w + gutters[0];
    let mut y = TOP;
    let mut right: f64 = networks_x + 260.0;
    for network in &topology.networks {
        let frame = scene.network(network, networks_x, y, gutters[1]);
        y = frame.bottom() + GAP;
        right = right.max(frame.right());
    }
    scene.outside(topology);
    let services_x = right + gutters[2];
    scene.services(topology, services_x);
    scene.stretch();
    scene.ways(topology, networks_x, services_x);
    let ends = scene.shapes.iter().map(|shape| shape.rect);
    scene.width = ends.clone().map(|rect| rect.right()).fold(760.0, f64::max) + PAD + 8.0;
    scene.height = ends.map(|rect| rect.bottom()).fold(TOP, f64::max) + 52.0;
    scene
}

/// Room for the lanes of a gutter and the widest label beside them.
fn gutter(topology: &Topology, lanes: usize, here: impl Fn(&Sides) -> bool) -> f64 {
    let labels = topology.ways.iter().filter(|way| here(&Sides::of(topology, way)) && has_label(way));
    let label = labels.map(|way| width(&way.label, SMALL, false)).fold(0.0, f64::max);
    3.0f64.mul_add(PAD, to_f64(lanes) * LANE) + label
}

#[expect(clippy::cast_precision_loss, reason = "counts of boxes are small")]
pub(super) const fn to_f64(count: usize) -> f64 {
    count as f64
}

fn class(kind: MemberKind) -> &'static str {
    match kind {
        MemberKind::Internet | MemberKind::People | MemberKind::OtherNetwork => "outside",
        MemberKind::Firewall => "wall",
        MemberKind::Bastion => "door",
        MemberKind::Machine | MemberKind::Computes => "inside",
        MemberKind::Leak | MemberKind::Open => "open",
        MemberKind::Endpoint => "pe",
        MemberKind::Closed => "service",
        MemberKind::Limited => "limited",
    }
}

fn size_of(member: &Member) -> (f64, f64) {
    let lines = member.lines.iter().map(|line| width(line, SMALL, false));
    let w = lines.fold(width(&member.name, NAME, true), f64::max).min(WIDEST);
    (w + 2.0 * PAD, LINE.mul_add(to_f64(member.lines.len() + 1), 16.0))
}

fn widest<'a>(members: impl Iterator<Item = &'a Member>) -> f64 {
    members.map(|one| size_of(one).0).fold(0.0, f64::max)
}

fn head_width(name: &str, lines: &[String]) -> f64 {
    let lines = lines.iter().map(|line| width(line, SMALL, false));
    lines.fold(width(name, NAME, true), f64::max).min(WIDEST) + 2.0 * PAD
}

/// Height of name and lines at the top of a frame.
fn head_height(lines: &[String]) -> f64 {
    LINE.mul_add(to_f64(lines.len() + 1), 18.0)
}

impl Scene {
    fn add(&mut self, key: &str, class: &'static str, rect: Rect, name: &str, lines: &[String]) -> usize {
        let room = 2.0f64.mul_add(-PAD, rect.w) + 0.01;
        let mut texts = vec![(fit(name, room, NAME, true), true)];
        texts.extend(lines.iter().map(|line| (fit(line, room, SMALL, false), false)));
        let title = std::iter::once(name).chain(lines.iter().map(String::as_str)).collect::<Vec<_>>().join(", ");
        self.shapes.push(Shape { key: key.to_owned(), class, rect, texts, title, inside: None });
        self.shapes.len() - 1
    }

    fn member(&mut self, member: &Member, rect: Rect, inside: Option<usize>) {
        let at = if member.kind == MemberKind::Endpoint {
            // The pill shows the face; the endpoint's own name comes as a title.
            let at = self.add(&member.key, "pe", rect, &member.name, &[]);
            self.shapes[at].title = member.lines.join(", ");
            at
        } else {
            self.add(&member.key, class(member.kind), rect, &member.name, &member.lines)
        };
        self.shapes[at].inside = inside;
    }

    fn network(&mut self, network: &NetworkZone, x: f64, y: f64, gutter: f64) -> Rect {
        let (doors, work): (Vec<_>, Vec<_>) = network.subnets.iter().partition(|subnet| subnet.is_door);
        let widths = |all: &[&SubnetZone]| all.iter().map(|one| subnet_size(one).0).fold(0.0, f64::max);
        let (doors_w, work_w) = (widths(&doors), widths(&work));
        let between = if doors.is_empty() || work.is_empty() { 0.0 } else { gutter };
        let frame = self.add(&network.key, "net", Rect { x, y, w: 0.0, h: 0.0 }, "", &[]);
        let top = y + head_height(&network.lines);
        let left = self.column(&doors, x + PAD, top, doors_w, frame);
        let other = self.column(&work, x + PAD + doors_w + between, top, work_w, frame);
        let w = 2.0f64.mul_add(PAD, doors_w + between + work_w).max(head_width(&network.name, &network.lines));
        let rect = Rect { x, y, w, h: left.max(other).max(top) - y };
        self.shapes.remove(frame);
        let at = self.add(&network.key, "net", rect, &network.name, &network.lines);
        let shape = self.shapes.remove(at);
        self.shapes.insert(frame, shape);
        rect
    }

    /// Subnets from top to bottom; returns where the frame may end.
    fn column(&mut self, subnets: &[&SubnetZone], x: f64, top: f64, w: f64, frame: usize) -> f64 {
        let mut y = top;
        for subnet in subnets {
            let h = subnet_size(subnet).1;
            let at = self.add(&subnet.key, "subnet", Rect { x, y, w, h }, &subnet.name, &subnet.lines);
            self.shapes[at].inside = Some(frame);
            let inner_y = y + head_height(&subnet.lines);
            let mut next = inner_y;
            let member_w = widest(subnet.members.iter());
            for member in &subnet.members {
                let h = size_of(member).1;
                let w = if subnet.endpoints.is_empty() { 2.0f64.mul_add(-PAD, w) } else { member_w };
                self.member(member, Rect { x: x + PAD, y: next, w, h }, Some(at));
                next += h + GAP;
            }
            let pill_w = pill_width(subnet);
            let mut next = inner_y;
            for endpoint in &subnet.endpoints {
                let rect = Rect { x: x + w - PAD - pill_w, y: next, w: pill_w, h: PILL };
                self.member(endpoint, rect, Some(at));
                next += PILL + GAP;
            }
            y += h + GAP;
        }
        if subnets.is_empty() { top } else { y - GAP + PAD }
    }

    /// Boxes outside, each beside the door that it has to do with.
    fn outside(&mut self, topology: &Topology) {
        let w = widest(topology.outside.iter());
        let mut y = TOP;
        for one in &topology.outside {
            let h = size_of(one).1;
            let other = topology.ways.iter().find_map(|way| {
                let end = if way.from == one.key { &way.to } else { &way.from };
                let own = way.from == one.key || way.to == one.key;
                self.shapes.iter().find(|shape| own && shape.key == *end && shape.class != "net").map(|s| s.rect)
            });
            y = other.map_or(y, |rect| (rect.middle() - h / 2.0).max(y));
            self.member(one, Rect { x: PAD, y, w, h }, None);
            y += h + GAP;
        }
    }

    fn services(&mut self, topology: &Topology, x: f64) {
        if topology.services.is_empty() {
            return;
        }
        let name = "Azure services";
        let w = widest(topology.services.iter());
        let frame = self.add("services", "zone", Rect { x, y: TOP, w: 2.0f64.mul_add(PAD, w), h: 0.0 }, name, &[]);
        let mut y = TOP + head_height(&[]);
        for service in &topology.services {
            let h = size_of(service).1;
            self.member(service, Rect { x: x + PAD, y, w, h }, Some(frame));
            y += h + 10.0;
        }
        self.shapes[frame].rect.h = y - 10.0 + PAD - TOP;
    }

    /// The last network ends no higher than whatever is outside, so that its ways meet it.
    fn stretch(&mut self) {
        let outside = self.shapes.iter().filter(|shape| shape.class == "outside");
        let end = outside.map(|shape| shape.rect.bottom()).fold(0.0, f64::max);
        if let Some(shape) = self.shapes.iter_mut().filter(|shape| shape.class == "net").last() {
            shape.rect.h = shape.rect.h.max(end - shape.rect.y);
        }
    }
}

fn pill_width(subnet: &SubnetZone) -> f64 {
    let names = subnet.endpoints.iter().map(|one| width(&one.name, NAME, true).min(WIDEST));
    names.fold(0.0, f64::max) + 2.0 * PAD
}

fn subnet_size(subnet: &SubnetZone) -> (f64, f64) {
    let members_w = widest(subnet.members.iter());
    let both = !subnet.endpoints.is_empty() && !subnet.members.is_empty();
    let pills = if subnet.endpoints.is_empty() { 0.0 } else { pill_width(subnet) };
    let inner = members_w + pills + if both { GAP } else { 0.0 };
    let w = 2.0f64.mul_add(PAD, inner).max(head_width(&subnet.name, &subnet.lines));
    let members: f64 = subnet.members.iter().map(|one| size_of(one).1 + GAP).sum();
    let endpoints = to_f64(subnet.endpoints.len()) * (PILL + GAP);
    (w, head_height(&subnet.lines) + members.max(endpoints).max(GAP) - GAP + PAD)
}
