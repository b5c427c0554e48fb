//! The ways of the picture: corners in the gutters between the columns, and where their labels stand. Computes, draws
//! nothing.

use std::collections::BTreeMap;

use super::layout::{LANE, Line, PAD, Rect, SMALL, Scene, Shape, TOP, to_f64};
use super::texts::{fit, width};
use crate::isolation::{Member, MemberKind, Topology, Way, WayKind};

/// In which gutter a way runs: 0 outside to doors, 1 doors to work, 2 work to services; 3 over the top.
pub(super) struct Sides(pub(super) usize);

impl Sides {
    pub(super) fn of(topology: &Topology, way: &Way) -> Self {
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

/// The label of a private way stands on its endpoint already.
pub(super) fn has_label(way: &Way) -> bool {
    way.kind != WayKind::Private
}

impl Scene {
    /// Places every way whose ends are there.
    pub(super) fn ways(&mut self, topology: &Topology, networks_x: f64, services_x: f64) {
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
            // A whole network is met wherever the way comes along.
            let right_y = match way.kind {
                WayKind::Joined => left_y.clamp(right.y + 6.0, (right.bottom() - 6.0).max(right.y + 6.0)),
                _ if (left_y - right_y).abs() < 3.0 => left_y,
                _ => right_y,
            };
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
