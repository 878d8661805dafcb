//! Where everything goes in the diagram.
//!
//! Each row has one step, so a row is empty in all lanes but one. Lines use that: a line leaves its box sideways, runs
//! along its own row to the gutter beside the lane it goes to, runs up or down the gutter in a track of its own, and
//! enters the other box sideways. So lines cross lines, but no line crosses a box or its text.
//!
//! ```text
//!   lane 0         gutter 1     lane 1       gutter 2
//!  ┌───────────┐
//!  │ store     ├─────┐
//!  └───────────┘     │         ┌───────────┐
//!                    └───────► │ load      │
//!                              └───────────┘
//! ```

use super::label::Label;
use super::scene::{Link, Scene};
use super::step::StepKind;

/// Width of a character of the text in boxes.
pub(super) const CHARACTER: f64 = 7.5;
/// Height of a line of text in boxes.
pub(super) const LINE: f64 = 15.0;
/// Room for the numbers of steps.
pub(super) const LEFT: f64 = 62.0;
/// Width of the strip at a region's outer edge, which has its name.
pub(super) const STRIP: f64 = 15.0;
const GAP: f64 = 9.0;
const PADDING: f64 = 8.0;
/// Between a lane's edge and its boxes, where there are no strips.
const EDGE: f64 = 6.0;
const TRACK: f64 = 13.0;
const GUTTER_MIN: f64 = 26.0;
const MARGIN: f64 = 24.0;
/// Characters in a box.
const CHARACTERS_MIN: usize = 34;
const CHARACTERS_MAX: usize = 50;

/// The lines of text in a box.
pub(super) struct Block {
    pub(super) label: Label,
    /// Whether value and ordering have a line of their own.
    pub(super) is_split: bool,
    pub(super) y: f64,
    pub(super) height: f64,
}

/// A line between two boxes.
pub(super) struct Route {
    /// From box to box.
    pub(super) points: [(f64, f64); 4],
}

pub(super) struct Layout {
    /// By thread: the left edge of its lane.
    pub(super) lanes: Vec<f64>,
    pub(super) lane_width: f64,
    /// From the lane's outer edge to its boxes', with room for the strips of regions.
    inset: f64,
    pub(super) characters: usize,
    /// By step.
    pub(super) blocks: Vec<Block>,
    /// By link.
    pub(super) routes: Vec<Route>,
    /// Below the last step.
    pub(super) bottom: f64,
    pub(super) width: f64,
}

impl Layout {
    /// Lays `scene` out below `top`.
    pub(super) fn new(scene: &Scene<'_>, top: f64) -> Self {
        let labels: Vec<Label> = scene.steps.iter().map(|step| scene.label(step)).collect();
        let longest = labels.iter().map(first_line).max();
        let characters = longest.unwrap_or(0).clamp(CHARACTERS_MIN, CHARACTERS_MAX);
        let depth = scene.regions.iter().map(|region| region.depth + 1).max().unwrap_or(0);
        let inset = EDGE + STRIP * depth as f64;
        let lane_width = inset + characters as f64 * CHARACTER + 2.0 * PADDING + EDGE;

        let mut y = top;
        let mut blocks = Vec::new();
        for (label, step) in labels.into_iter().zip(&scene.steps) {
            let is_split = first_line(&label) > characters;
            let lines = 1 + usize::from(is_split) + usize::from(label.stale.is_some());
            let place = if label.place.is_empty() { 0.0 } else { LINE - 2.0 };
            let height = lines as f64 * LINE + place + PADDING;
            blocks.push(Block { label, is_split, y, height });
            // A folded step stands for a longer time, so the gap behind it is larger.
            y += height + if step.kind == StepKind::Single { GAP } else { GAP + 3.0 };
        }

        let ends: Vec<Ends> = scene.links.iter().map(|link| Ends::new(scene, link)).collect();
        let tracks = assign_tracks(&scene.links, &ends, scene.threads + 1);
        let width_of = |gutter: usize| match tracks.counts[gutter] {
            0 if gutter == scene.threads => 0.0,
            count => GUTTER_MIN + TRACK * count as f64,
        };
        let mut lanes = Vec::new();
        let mut x = LEFT;
        for thread in 0..scene.threads {
            if thread != 0 {
                x += width_of(thread);
            }
            lanes.push(x);
            x += lane_width;
        }
        let width = x + width_of(scene.threads) + MARGIN;
        let mut layout = Self { lanes, lane_width, inset, characters, blocks, routes: Vec::new(), bottom: y, width };
        layout.routes = layout.route(&scene.links, &ends, &tracks);
        layout
    }

    /// Left and right edge of a thread's boxes.
    pub(super) fn sides(&self, thread: usize) -> (f64, f64) {
        let (left, right) = (self.lanes[thread], self.lanes[thread] + self.lane_width);
        if self.has_strips_right(thread) {
            (left + EDGE, right - self.inset)
        } else {
            (left + self.inset, right - EDGE)
        }
    }

    /// Whether the strips of a thread's regions are on the right: in the last lane, whose lines come from the left.
    fn has_strips_right(&self, thread: usize) -> bool {
        thread != 0 && thread + 1 == self.lanes.len()
    }

    /// Left and right edge of a region at this depth, and where the text in its strip begins.
    pub(super) fn region(&self, thread: usize, depth: usize) -> (f64, f64, f64) {
        let (left, right) = (self.lanes[thread], self.lanes[thread] + self.lane_width);
        let offset = EDGE / 2.0 + STRIP * depth as f64;
        if self.has_strips_right(thread) {
            (left + EDGE / 2.0, right - offset, right - offset - STRIP + 4.0)
        } else {
            (left + offset, right - EDGE / 2.0, left + offset + 4.0)
        }
    }

    /// The middle of a step's row.
    pub(super) fn middle(&self, step: usize) -> f64 {
        self.blocks[step].y + self.blocks[step].height / 2.0
    }

    fn route(&self, links: &[Link], ends: &[Ends], tracks: &Tracks) -> Vec<Route> {
        // Ports of a box's side, those that lead upwards above those that lead downwards.
        let port = |link: usize, at_start: bool| {
            let (step, other) =
                if at_start { (links[link].from, links[link].to) } else { (links[link].to, links[link].from) };
            let right = if at_start { ends[link].leaves_right } else { ends[link].enters_right };
            let mut here: Vec<(usize, usize, bool)> = Vec::new();
            for (index, (candidate, end)) in links.iter().zip(ends).enumerate() {
                if candidate.from == step && end.leaves_right == right {
                    here.push((candidate.to, index, true));
                }
                if candidate.to == step && end.enters_right == right {
                    here.push((candidate.from, index, false));
                }
            }
            here.sort_unstable();
            let position = here.iter().position(|port| *port == (other, link, at_start)).unwrap_or(0);
            let block = &self.blocks[step];
            block.y + block.height * (position + 1) as f64 / (here.len() + 1) as f64
        };
        let edge = |thread: usize, right: bool| if right { self.sides(thread).1 } else { self.sides(thread).0 };
        let route = |(index, end): (usize, &Ends)| {
            let start = (edge(end.from, end.leaves_right), port(index, true));
            let stop = (edge(end.to, end.enters_right), port(index, false));
            let x = self.lanes[end.gutter - 1]
                + self.lane_width
                + GUTTER_MIN / 2.0
                + TRACK * (tracks.of[index] as f64 + 0.5);
            Route { points: [start, (x, start.1), (x, stop.1), stop] }
        };
        ends.iter().enumerate().map(route).collect()
    }
}

fn first_line(label: &Label) -> usize {
    label.what.chars().count() + label.values_width()
}

/// A link in terms of lanes.
struct Ends {
    from: usize,
    to: usize,
    leaves_right: bool,
    enters_right: bool,
    gutter: usize,
}

impl Ends {
    fn new(scene: &Scene<'_>, link: &Link) -> Self {
        let from = scene.steps[link.from].thread.unwrap_or(0);
        let to = scene.steps[link.to].thread.unwrap_or(0);
        // Within a lane a line goes around on the right.
        let enters_right = from >= to;
        Self { from, to, leaves_right: from <= to, enters_right, gutter: to + usize::from(enters_right) }
    }
}

struct Tracks {
    /// By link.
    of: Vec<usize>,
    /// By gutter: how many.
    counts: Vec<usize>,
}

/// Gives each link a track in its gutter that no other link uses in the same rows, short links first: they stay close
/// to their boxes.
fn assign_tracks(links: &[Link], ends: &[Ends], gutters: usize) -> Tracks {
    let span = |link: &Link| (link.from.min(link.to), link.from.max(link.to));
    let mut order: Vec<usize> = (0..links.len()).collect();
    order.sort_by_key(|&index| (span(&links[index]).1 - span(&links[index]).0, index));
    let mut tracks = Tracks { of: vec![0; links.len()], counts: vec![0; gutters] };
    // By gutter and track: the rows in use.
    let mut used: Vec<Vec<Vec<(usize, usize)>>> = vec![Vec::new(); gutters];
    for index in order {
        let (first, last) = span(&links[index]);
        let gutter = &mut used[ends[index].gutter];
        let is_free = |rows: &Vec<(usize, usize)>| rows.iter().all(|&(start, end)| last < start || end < first);
        let track = gutter.iter().position(is_free).unwrap_or(gutter.len());
        if track == gutter.len() {
            gutter.push(Vec::new());
        }
        gutter[track].push((first, last));
        tracks.of[index] = track;
        tracks.counts[ends[index].gutter] = gutter.len();
    }
    tracks
}
