//! The counterexample as a space-time diagram: a lane for each thread, time downwards, one SVG element without
//! references.
//!
//! Drawn from back to front: stops of the world across all lanes, regions, life lines, lines between steps, boxes, the
//! failure. Boxes are opaque. What matters is told by form as well as by colour - dashes, dots, line widths, words - so
//! that a print in grey says the same.

use super::label::{Label, mutant, number_of};
use super::layout::{Block, CHARACTER, LEFT, LINE, Layout, Route};
use super::scene::{LinkKind, Region, RegionKind, Scene};
use super::step::{Step, StepKind};
use super::text::{cut, escape, wrap};
use heaplab::sync::Ordering;
use heaplab::sync::model_control::{Action, Operand};
use std::fmt::Write as _;

const RED: &str = "#b3122a";
const ORANGE: &str = "#a85500";
const BLUE: &str = "#1a55a8";
const GREEN: &str = "#23703d";
const GREY: &str = "#5b5b5b";
const LINE_OF_LIFE: &str = "#b4b4b4";
/// Tints for the regions of mutexes, in the order in which they are first locked.
const TINTS: [(&str, &str); 5] = [
    ("#d9eedd", "#5f9a6c"),
    ("#dbe6f6", "#6c8bbb"),
    ("#eee0f3", "#9a72aa"),
    ("#f5e3d0", "#b58a55"),
    ("#e0ecec", "#6a9a9a"),
];
const STYLE: &str = "text{font-family:'DejaVu Sans Mono','Menlo','Consolas',monospace;font-size:12px;fill:#111}\
                     .t{font-size:17px;font-weight:bold}.h{font-size:13px;font-weight:bold}.s{font-size:10.5px}\
                     .b{font-weight:bold}";

/// How a link looks: colour, width, dashes, and what it says.
fn look(kind: LinkKind) -> (&'static str, f64, &'static str, &'static str) {
    match kind {
        LinkKind::Synchronises => (BLUE, 2.0, "", "read, and ordered after it"),
        LinkKind::Known => (GREY, 1.1, "", "read, ordered already"),
        LinkKind::Unordered => (ORANGE, 2.0, "2 4", "read without order"),
        LinkKind::Stale => (RED, 2.0, "", "stale read"),
        LinkKind::PassedOver => (RED, 2.0, "8 4", "newer write passed over"),
        LinkKind::HandedOver => (GREEN, 1.3, "", "lock, wake-up or end of thread"),
        LinkKind::Race => (RED, 2.6, "10 4 2 4", "race: no order between"),
    }
}

pub(super) fn render(scene: &Scene<'_>) -> String {
    // The heading's height depends on the width, and the width on nothing above: so measure first.
    let width = Layout::new(scene, 0.0).width.max(560.0);
    let mut drawing = Drawing { scene, out: String::new(), width };
    let top = drawing.heading();
    let layout = Layout::new(scene, top + 14.0);
    drawing.stops(&layout);
    drawing.regions(&layout);
    drawing.lives(&layout, top);
    for (link, route) in scene.links.iter().zip(&layout.routes) {
        drawing.link(link.kind, link.from, link.to, route);
    }
    for (index, step) in scene.steps.iter().enumerate() {
        drawing.step(&layout, index, step);
    }
    let height = drawing.failures(&layout) + 20.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 \
                 {width:.0} \
         {height:.0}\">\n<style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{}</svg>\n",
        drawing.out
    )
}

struct Drawing<'a> {
    scene: &'a Scene<'a>,
    out: String,
    width: f64,
}

impl Drawing<'_> {
    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(element);
        self.out.push('\n');
    }

    fn text(&mut self, (x, y): (f64, f64), class: &str, fill: &str, text: &str) {
        let text = escape(text);
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" \
                 style=\"fill:{fill}\" xml:space=\"preserve\">{text}</text>"
        ));
    }

    /// Title, circumstances and legend; returns where they end.
    fn heading(&mut self) -> f64 {
        let counterexample = self.scene.counterexample;
        let title = format!("{} fails", counterexample.model);
        self.put(format_args!("<title>{}</title>", escape(&title)));
        let mut y = 30.0;
        for line in wrap(&title, ((self.width - 40.0) / 10.4) as usize) {
            self.text((20.0, y), "t", "#111", &line);
            y += 20.0;
        }
        let mut lines = vec![("#111", self.scene.circumstances())];
        if let Some(mutant) = &counterexample.mutant {
            lines.push((ORANGE, format!("mutant: {mutant}")));
        }
        if !counterexample.token.is_empty() {
            lines.push((GREY, format!("replay: {}", counterexample.token)));
        }
        for (fill, text) in lines {
            for line in wrap(&text, ((self.width - 40.0) / CHARACTER) as usize) {
                self.text((20.0, y), "", fill, &line);
                y += 16.0;
            }
        }
        self.legend(y + 4.0)
    }

    fn legend(&mut self, mut y: f64) -> f64 {
        let mut kinds: Vec<LinkKind> = self.scene.links.iter().map(|link| link.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut x = 20.0;
        for kind in kinds {
            let (colour, thick, dashes, text) = look(kind);
            let length = 46.0 + text.len() as f64 * 6.5;
            if x > 20.0 && x + length > self.width - 10.0 {
                x = 20.0;
                y += 17.0;
            }
            let (end, middle) = (x + 30.0, y - 4.0);
            self.put(format_args!(
                "<line x1=\"{x}\" y1=\"{middle}\" x2=\"{end}\" y2=\"{middle}\" \
                     stroke=\"{colour}\" stroke-width=\"{thick}\" stroke-dasharray=\"{}\"/>",
                dash(dashes)
            ));
            self.text((x + 36.0, y), "s", "#111", text);
            x += length;
        }
        y + 30.0
    }

    fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), paint: &str, title: &str) {
        let title = escape(title);
        self.put(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
                 {paint}><title>{title}</title></rect>"
        ));
    }

    /// A name that runs down beside what it names: the first of these that there is room for, or a part of the last,
    /// unless that would say nothing.
    fn down(&mut self, (x, y): (f64, f64), room: f64, fill: &str, texts: [&str; 2]) {
        let room = ((room - 6.0) / 6.9).max(0.0) as usize;
        let text = if texts[0].chars().count() <= room { texts[0].to_owned() } else { cut(texts[1], room) };
        if !text.ends_with('…') || text.chars().count() > 4 {
            let text = escape(&text);
            self.put(format_args!(
                "<text transform=\"translate({x:.1} {y:.1}) rotate(90)\" class=\"s\" \
                     style=\"fill:{fill}\">{text}</text>"
            ));
        }
    }

    fn extent(&self, layout: &Layout, region: &Region) -> (f64, f64) {
        let end = region.last.map_or(layout.bottom, |last| layout.middle(last));
        let start = layout.middle(region.first);
        (start, (end - start).max(4.0))
    }

    fn stops(&mut self, layout: &Layout) {
        for region in self.scene.regions.iter().filter(|region| region.kind == RegionKind::Stop) {
            let (y, height) = self.extent(layout, region);
            let text = format!("world stopped by {}", region.thread);
            let paint = "fill=\"#fff3c4\" stroke=\"#b89b2e\" stroke-dasharray=\"6 3\"";
            self.rect((LEFT - 22.0, y), (self.width - LEFT + 12.0, height), paint, &text);
            self.down((LEFT - 18.0, y + 6.0), height, "#7a6200", [&text, "stop"]);
        }
    }

    fn regions(&mut self, layout: &Layout) {
        let mut mutexes: Vec<usize> = Vec::new();
        for region in &self.scene.regions {
            let (y, height) = self.extent(layout, region);
            let (left, right, strip) = layout.region(region.thread, region.depth);
            let (object, is_wait) = match region.kind {
                RegionKind::Lock(object) => (object, false),
                RegionKind::Wait(object) => (object, true),
                RegionKind::Stop => continue,
            };
            let name = self.scene.names.of(object);
            let (text, paint, ink) = if is_wait {
                let paint = format!("fill=\"#ececec\" stroke=\"{GREY}\" stroke-dasharray=\"3 3\"");
                (format!("waits on {name}"), paint, GREY)
            } else {
                let known = mutexes.iter().position(|mutex| *mutex == object);
                let known = known.unwrap_or_else(|| {
                    mutexes.push(object);
                    mutexes.len() - 1
                });
                let (tint, ink) = TINTS[known % TINTS.len()];
                (format!("holds {name}"), format!("fill=\"{tint}\" stroke=\"{ink}\""), "#333")
            };
            self.rect((left, y), (right - left, height), &paint, &format!("thread {} {text}", region.thread));
            self.down((strip, y + 5.0), height, ink, [&text, name]);
        }
    }

    /// The heads of the lanes and the lines that boxes sit on: from a thread's start to its last step.
    fn lives(&mut self, layout: &Layout, top: f64) {
        let scene = self.scene;
        for thread in 0..scene.threads {
            let (left, right) = layout.sides(thread);
            let middle = (left + right) / 2.0;
            let name = format!("thread {thread}");
            self.text((middle - name.len() as f64 * 4.0, top), "h", "#111", &name);
            let is_start = |at: &usize| {
                scene.journal[*at].action == Action::Spawn && scene.journal[*at].written == Some(thread as u64)
            };
            let start = (0..scene.journal.len()).find(is_start).map(|at| scene.step_of[at]);
            let last = scene.journal.iter().rposition(|entry| entry.thread == thread).map(|at| scene.step_of[at]);
            let from = start.map_or(top + 6.0, |step| layout.middle(step));
            let to = if scene.diagnosis.threads.contains(&thread) {
                layout.bottom
            } else {
                last.map_or(from, |step| layout.middle(step))
            };
            self.put(format_args!(
                "<line x1=\"{middle:.1}\" y1=\"{from:.1}\" x2=\"{middle:.1}\" y2=\"{to:.1}\" \
                     stroke=\"{LINE_OF_LIFE}\" stroke-width=\"2\"/>"
            ));
            if let Some(by) = start.and_then(|step| scene.steps[step].thread) {
                let (by_left, by_right) = layout.sides(by);
                let x = if by < thread { by_right } else { by_left };
                self.put(format_args!(
                    "<line x1=\"{x:.1}\" y1=\"{from:.1}\" x2=\"{middle:.1}\" y2=\"{from:.1}\" \
                         stroke=\"{LINE_OF_LIFE}\" stroke-width=\"2\"/><circle cx=\"{middle:.1}\" \
                         cy=\"{from:.1}\" r=\"4\" fill=\"{LINE_OF_LIFE}\"/>"
                ));
            }
        }
    }

    fn link(&mut self, kind: LinkKind, from: usize, to: usize, route: &Route) {
        const CORNER: f64 = 6.0;
        let (colour, thick, dashes, text) = look(kind);
        let [start, first, second, end] = route.points;
        let down = (second.1 - first.1).signum() * CORNER.min((second.1 - first.1).abs() / 2.0);
        let out = (first.0 - start.0).signum() * CORNER;
        let into = (end.0 - second.0).signum() * CORNER;
        let dashes = dash(dashes);
        let title = escape(&format!("#{} to #{}: {text}", number_of(from), number_of(to)));
        let path = format!(
            "M{:.1} {:.1}H{:.1}Q{:.1} {:.1} {:.1} {:.1}V{:.1}Q{:.1} {:.1} {:.1} {:.1}H{:.1}",
            start.0,
            start.1,
            first.0 - out,
            first.0,
            first.1,
            first.0,
            first.1 + down,
            second.1 - down,
            second.0,
            second.1,
            second.0 + into,
            second.1,
            end.0 - into.signum() * 6.0,
        );
        self.put(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{thick}\" \
                 stroke-dasharray=\"{dashes}\"><title>{title}</title></path>"
        ));
        self.head(end, into.signum(), colour);
        if kind == LinkKind::Race {
            self.head(start, -out.signum(), colour);
        }
    }

    /// An arrow's head whose tip is at a box.
    fn head(&mut self, (x, y): (f64, f64), direction: f64, colour: &str) {
        let back = x - direction * 9.0;
        self.put(format_args!(
            "<path d=\"M{x:.1} {y:.1}L{back:.1} {:.1}L{back:.1} {:.1}Z\" fill=\"{colour}\"/>",
            y - 4.0,
            y + 4.0
        ));
    }

    fn step(&mut self, layout: &Layout, index: usize, step: &Step) {
        let block = &layout.blocks[index];
        let middle = block.y + block.height / 2.0 + 4.0;
        let number = number_of(index).to_string();
        self.text((LEFT - 28.0 - number.len() as f64 * 6.5, middle), "s", GREY, &number);
        let (left, right) = match step.thread {
            Some(thread) => layout.sides(thread),
            None => (layout.sides(0).0, layout.sides(self.scene.threads - 1).1),
        };
        let paint = self.paint(step, index, &block.label);
        let detail = self.scene.detail(step);
        let title = escape(&detail);
        self.put(format_args!("<g><title>{title}</title>"));
        self.put(format_args!(
            "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"4\" {paint}/>",
            block.y,
            right - left,
            block.height
        ));
        self.words(block, left + 8.0, layout.characters);
        self.put(format_args!("</g>"));
    }

    fn words(&mut self, block: &Block, left: f64, characters: usize) {
        let label = &block.label;
        let mut y = block.y + LINE;
        let room = if block.is_split { characters } else { characters.saturating_sub(label.values_width()) };
        let mut line = span("b", "#111", &cut(&label.what, room));
        if block.is_split {
            self.spans((left, y), &line);
            y += LINE;
            line = span("", "#111", " ");
        }
        if !label.value.is_empty() {
            line += &span("", "#111", &format!(" {}", label.value));
        }
        let change = label.change.map_or(String::new(), mutant);
        if label.ordering.is_none() && label.change.is_some() {
            line += &span("b", ORANGE, &change);
        }
        if let Some(ordering) = label.ordering {
            let (class, fill, mark) = match ordering {
                _ if label.change.is_some() => ("b", ORANGE, change.as_str()),
                Ordering::Relaxed => ("", GREY, ""),
                _ => ("", BLUE, ""),
            };
            line += &span(class, fill, &format!(" {ordering:?}{mark}"));
        }
        self.spans((left, y), &line);
        if let Some(stale) = &label.stale {
            y += LINE;
            self.text((left, y), "b", RED, &cut(&format!("STALE: {stale}"), characters));
        }
        if !label.place.is_empty() {
            y += LINE - 2.0;
            self.text((left, y), "s", GREY, &cut(&label.place, characters));
        }
    }

    /// A line of text in several styles. The pieces follow one another, however wide the reader's font is.
    fn spans(&mut self, (x, y): (f64, f64), spans: &str) {
        self.put(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" xml:space=\"preserve\">{spans}</text>"));
    }

    fn paint(&self, step: &Step, index: usize, label: &Label) -> String {
        let entry = &self.scene.journal[step.entries[0]];
        let fill = match (step.kind, entry.action) {
            (StepKind::Setup | StepKind::Aside | StepKind::Elided, _) => "#f4f4f4",
            (_, Action::Ordered(Operand::Load | Operand::CasFailure, _)) => "#ffffff",
            (_, Action::Ordered(Operand::Store, _)) => "#dfeafa",
            (_, Action::Ordered(Operand::Fence, _)) => "#fdf1d8",
            (_, Action::Ordered(..)) => "#ece2f8",
            (_, Action::PlainRead) => "#ffffff",
            (_, Action::PlainWrite) => "#ececec",
            _ => "#f7fbf7",
        };
        let is_racing = step.entries.iter().any(|&at| self.scene.diagnosis.is_about(at));
        let stroke = if is_racing || label.stale.is_some() {
            format!("stroke=\"{RED}\" stroke-width=\"2.2\"")
        } else if label.change.is_some() {
            format!("stroke=\"{ORANGE}\" stroke-width=\"2.2\"")
        } else if self.scene.step_of.get(step.entries[0]) == Some(&index) && is_minor(entry.action) {
            "stroke=\"#c4c4c4\" stroke-width=\"1\"".to_owned()
        } else {
            "stroke=\"#444\" stroke-width=\"1.2\"".to_owned()
        };
        format!("fill=\"{fill}\" {stroke}")
    }

    /// The failure at each thread it is drawn at; returns where the picture ends.
    fn failures(&mut self, layout: &Layout) -> f64 {
        let top = layout.bottom + 6.0;
        let mut bottom = top;
        for &thread in &self.scene.diagnosis.threads {
            let (left, right) = layout.sides(thread);
            let (heading, details) = self.scene.describe_failure(thread);
            let lines = wrap(&details, layout.characters);
            let height = (lines.len() + 1) as f64 * LINE + 12.0;
            let paint = format!("rx=\"4\" fill=\"#fde3e6\" stroke=\"{RED}\" stroke-width=\"2.6\"");
            self.rect((left, top), (right - left, height), &paint, &self.scene.counterexample.message);
            self.text((left + 8.0, top + 17.0), "b", RED, heading);
            for (at, line) in lines.iter().enumerate() {
                self.text((left + 8.0, top + 17.0 + (at + 1) as f64 * LINE), "", "#111", line);
            }
            bottom = bottom.max(top + height);
        }
        bottom
    }
}

fn is_minor(action: Action) -> bool {
    matches!(action, Action::Spawn | Action::Join | Action::Yield)
}

fn dash(dashes: &str) -> &str {
    if dashes.is_empty() { "none" } else { dashes }
}

/// A piece of a line of text.
fn span(class: &str, fill: &str, text: &str) -> String {
    format!("<tspan class=\"{class}\" style=\"fill:{fill}\">{}</tspan>", escape(text))
}
