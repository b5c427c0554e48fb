//! Where everything stands: outside, doors, work, services from left to right; ways in the gutters between. Computes, draws
//! nothing.

use std::collections::BTreeMap;

use super::texts::{fit, width};
use crate::isolation::{Member, MemberKind, NetworkZone, SubnetZone, Topology, Way, WayKind};

const PAD: f64 = 14.0;
const GAP: f64 = 16.0;
const LINE: f64 = 17.0;
/// Size of names.
pub(super) const NAME: f64 = 13.0;
/// Size of everything else.
pub(super) const SMALL: f64 = 12.0;
/// Widest text of a box.
const WIDEST: f64 = 250.0;
const LANE: f64 = 12.0;
const TOP: f64 = 104.0;
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

    fn middle(&self) -> f64 {
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

/// In which gutter a way runs: 0 outside to doors, 1 doors to work, 2 work to services; 3 over the top.
struct Sides(usize);

impl Sides {
    fn of(topology: &Topology, way: &Way) -> Self {
        let outside = |key: &String| topology.outside.iter().any(|one| one.key == *key);
        let service = |key: &String| topology.services.iter().any(|one| one.key == *key);
        Self(match (outside(&way.from) || outside(&way.to), service(&way.from) || service(&way.to)) {
            (true, true) => 3,
            (true, false) => 0,
            (false, true) => 2,
            (false, false) => 1,
        })
    }
}

/// Room for the lanes of a gutter and the widest label beside them.
fn gutter(topology: &Topology, lanes: usize, here: impl Fn(&Sides) -> bool) -> f64 {
    let labels = topology.ways.iter().filter(|way| here(&Sides::of(topology, way)) && has_label(way));
    let label = labels.map(|way| width(&way.label, SMALL, false)).fold(0.0, f64::max);
    3.0f64.mul_add(PAD, to_f64(lanes) * LANE) + label
}

/// The label of a private way stands on its endpoint already.
fn has_label(way: &Way) -> bool {
    way.kind != WayKind::Private
}

#[expect(clippy::cast_precision_loss, reason = "counts of boxes are small")]
const fn to_f64(count: usize) -> f64 {
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

    fn ways(&mut self, topology: &Topology, networks_x: f64, services_x: f64) {
        let rects: BTreeMap<String, Rect> = self.shapes.iter().map(|s| (s.key.clone(), s.rect)).collect();
        let lanes = lanes(topology, &rects);
        let mut arrivals: BTreeMap<(String, bool), usize> = BTreeMap::new();
        for (way, number) in topology.ways.iter().zip(lanes) {
            let Sides(side) = Sides::of(topology, way);
            let (Some(from), Some(to)) = (rects.get(&way.from), rects.get(&way.to)) else { continue };
            if side == 3 {
                continue;
            }
            let leftward = from.x > to.x;
            let (left, right) = if leftward { (to, from) } else { (from, to) };
            let mut port = |key: &str, rect: &Rect| {
                let n = arrivals.entry((key.to_owned(), leftward)).or_default();
                *n += 1;
                spread(rect, *n)
            };
            let (left_key, right_key) = if leftward { (&way.to, &way.from) } else { (&way.from, &way.to) };
            let (left_y, right_y) = (port(left_key, left), port(right_key, right));
            let start = gutter_start(side, &self.shapes, left, networks_x);
            let lane_x = LANE.mul_add(to_f64(number), start + PAD);
            let right_y = if (left_y - right_y).abs() < 3.0 { left_y } else { right_y };
            let mut points = vec![(left.right(), left_y), (lane_x, left_y), (lane_x, right_y), (right.x, right_y)];
            if leftward {
                points.reverse();
            }
            let label = if has_label(way) { way.label.clone() } else { String::new() };
            let edge = self.edge(side, right, networks_x, services_x);
            let at = (edge - 8.0 - width(&label, SMALL, false), right_y - 6.0);
            self.lines.push(Line { class: line_class(way.kind), points, label, at });
        }
        self.over_the_top(topology, &rects, services_x);
    }

    /// Left edge of what stands at the right side of a gutter: labels end before it.
    fn edge(&self, side: usize, right: &Rect, networks_x: f64, services_x: f64) -> f64 {
        match side {
            0 => networks_x,
            2 => services_x,
            _ => {
                let holder = self.shapes.iter().filter(|shape| shape.class == "subnet");
                let holds = |rect: &Rect| rect.x <= right.x && rect.right() >= right.right() && rect.y <= right.y;
                holder
                    .map(|shape| shape.rect)
                    .find(|rect| holds(rect) && rect.bottom() >= right.bottom())
                    .map_or(right.x, |r| r.x)
            }
        }
    }

    /// What the Internet tries on the services: one line for all that are closed, one for all that are not.
    fn over_the_top(&mut self, topology: &Topology, rects: &BTreeMap<String, Rect>, services_x: f64) {
        let Some(internet) = rects.get("internet") else { return };
        let x = internet.x + 24.0;
        for (kind, y, label) in [
            (WayKind::Closed, TOP - 42.0, "from the Internet to services: closed"),
            (WayKind::Open, TOP - 18.0, "open to the Internet"),
        ] {
            let over = |way: &&Way| Sides::of(topology, way).0 == 3 && way.kind == kind;
            let to: Vec<&Member> = topology
                .ways
                .iter()
                .filter(over)
                .filter_map(|way| topology.services.iter().find(|one| one.key == way.to))
                .collect();
            if to.is_empty() {
                continue;
            }
            let names: Vec<&str> = to.iter().map(|one| one.name.as_str()).collect();
            let is_asked = to.iter().all(|one| one.kind == MemberKind::Limited);
            let text = match kind {
                WayKind::Closed => label.to_owned(),
                _ if is_asked => format!("logs and telemetry, as asked for: {}", names.join(", ")),
                _ => format!("{label}: {}", names.join(", ")),
            };
            let class = if kind == WayKind::Closed {
                "closed"
            } else if is_asked {
                "asked"
            } else {
                "leak"
            };
            let offset = if kind == WayKind::Closed { 0.0 } else { 16.0 };
            let start = x + offset;
            let end =
                if kind == WayKind::Closed { (services_x + 40.0, TOP - 4.0) } else { (services_x + 20.0, TOP - 2.0) };
            let points = vec![(start, internet.y), (start, y), (end.0, y), end];
            let label = fit(&text, end.0 - start - 40.0, SMALL, false);
            self.lines.push(Line { class, points, label, at: (start + 12.0, y - 6.0) });
        }
    }
}

/// The lane of each way within its gutter, such that neighbours do not cross: downward the lower one turns first, upward
/// the upper one.
fn lanes(topology: &Topology, rects: &BTreeMap<String, Rect>) -> Vec<usize> {
    let mut lanes = vec![0; topology.ways.len()];
    for gutter in 0..3 {
        let mut here: Vec<(bool, f64, usize)> = Vec::new();
        for (n, way) in topology.ways.iter().enumerate().filter(|(_, way)| Sides::of(topology, way).0 == gutter) {
            let (Some(from), Some(to)) = (rects.get(&way.from), rects.get(&way.to)) else { continue };
            let (left, right) = if from.x > to.x { (to, from) } else { (from, to) };
            let upward = right.middle() < left.middle();
            here.push((upward, if upward { left.middle() } else { -left.middle() }, n));
        }
        here.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        here.iter().enumerate().for_each(|(lane, (_, _, n))| lanes[*n] = lane);
    }
    lanes
}

/// Where on an edge the n-th way ends: from the middle, then below and above it.
fn spread(rect: &Rect, n: usize) -> f64 {
    let step = to_f64(n / 2) * 14.0;
    let offset = if n.is_multiple_of(2) { step } else { -step };
    (rect.middle() + offset).clamp(rect.y + 6.0, (rect.bottom() - 6.0).max(rect.y + 6.0))
}

/// Where the gutter right of `left` begins: behind the column that `left` stands in.
fn gutter_start(side: usize, shapes: &[Shape], left: &Rect, networks_x: f64) -> f64 {
    match side {
        0 => left.right().min(networks_x),
        1 => shapes
            .iter()
            .filter(|shape| shape.class == "subnet" && shape.rect.x <= left.x && shape.rect.right() >= left.right())
            .map(|shape| shape.rect.right())
            .fold(left.right(), f64::max),
        _ => shapes.iter().filter(|shape| shape.class == "net").map(|s| s.rect.right()).fold(left.right(), f64::max),
    }
}

const fn line_class(kind: WayKind) -> &'static str {
    match kind {
        WayKind::In => "in",
        WayKind::Out => "out",
        WayKind::Private => "private",
        WayKind::Joined => "joined",
        WayKind::Closed => "closed",
        WayKind::Open => "leak",
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
