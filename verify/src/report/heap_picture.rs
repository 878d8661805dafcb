//! Drawing pictures of heaps: a table with a column for each moment and a row for each group of pages.
//!
//! ```text
//!              before          every space made full   after
//! whole heap   [##    |    ]   [######|    ]           [###   |    ]   committed, soft limit, hard limit
//! new space    [ ][ ][ ]       [#][#][#]               ...             a cell for each page, filled from below
//! ```
//!
//! A cell is filled in proportion to its bytes by use; a use that a page has at all is a hairline at least, so that one
//! small object in a large page is seen. All columns have one scale. The numbers behind a cell are its tooltip. Plain
//! markup and SVG, colours by class: no script, and nothing that differs between two runs on the same survey.

use super::html::{Html, grouped, kib};
use heaplab::MemoryUse;
use heaplab_scenarios::{Cell, Group, HeapPicture, Moment, Row, USES};

/// Tenths of a unit: lengths within a drawing are whole numbers of tenths.
const UNIT: usize = 10;
/// The least that is drawn of a use, in tenths.
const HAIRLINE: usize = 15;
/// Units across a column.
const WIDTH: usize = 300;
/// Units of the bar that shows the whole heap.
const BAR_HEIGHT: usize = 14;

fn name(memory_use: MemoryUse) -> &'static str {
    match memory_use {
        MemoryUse::Live => "live",
        MemoryUse::Dead => "dead",
        MemoryUse::Filler => "filler",
        MemoryUse::Wasted => "wasted",
        MemoryUse::Free => "free",
        MemoryUse::Held => "held",
        MemoryUse::Unused => "unused",
    }
}

fn meaning(memory_use: MemoryUse) -> &'static str {
    match memory_use {
        MemoryUse::Live => "objects that a root reaches",
        MemoryUse::Dead => "objects that no root reaches any more: the next collection frees them",
        MemoryUse::Filler => "gaps that serve nobody before the next collection; what a space is made full with",
        MemoryUse::Wasted => "out of reach: pages of a full new space, the rest of a large object's last page",
        MemoryUse::Free => "holes and pooled pages: what allocation takes from",
        MemoryUse::Held => "set aside by an always-allocate scope, for its owner alone",
        MemoryUse::Unused => "new space that was not handed out since the last collection",
    }
}

/// What a column shows: in a word, and in a sentence.
fn moment(moment: Moment) -> [&'static str; 2] {
    match moment {
        Moment::Before => ["before", "a new heap"],
        Moment::Full => ["every space made full", "at the end of the always-allocate scope"],
        Moment::After => ["after", "what the scope held has gone back"],
        Moment::Step => ["before the step", "as it meets the heap"],
    }
}

fn title(group: Group) -> &'static str {
    match group {
        Group::Roots => "built-in objects",
        Group::New => "new space",
        Group::Old => "old space",
        Group::Map => "map space",
        Group::Code => "code space",
        Group::Large => "large objects",
        Group::Held => "held pages",
        Group::Pool => "page pool",
    }
}

fn pages(count: usize) -> String {
    if count == 1 { "1 page".to_owned() } else { format!("{} pages", grouped(count as u64)) }
}

/// What the colours mean.
pub fn legend() -> Html {
    let mut html = Html::raw("<ul class=\"legend\">\n");
    for memory_use in MemoryUse::ALL {
        let (name, meaning) = (name(memory_use), meaning(memory_use));
        writeln!(html, "<li><i class=\"use-{name}\"></i><span><b>{name}</b> {meaning}</span></li>");
    }
    html.push(&Html::raw("</ul>\n"));
    html
}

/// Pictures of one heap, side by side.
pub fn pictures(pictures: &[HeapPicture]) -> Html {
    let mut html = Html::raw("<div class=\"wide\"><table class=\"heap\">\n<thead><tr><td></td>");
    for picture in pictures {
        let [name, sentence] = moment(picture.moment);
        write!(html, "<th scope=\"col\">{name} <small>{sentence}</small></th>");
    }
    html.push(&Html::raw("</tr></thead>\n<tbody>\n<tr><th scope=\"row\">whole heap</th>"));
    for picture in pictures {
        html.push(&whole(picture));
    }
    html.push(&Html::raw("</tr>\n"));
    let scale = Scale::of(pictures);
    for group in Group::ALL {
        let rows: Vec<Option<&Row>> =
            pictures.iter().map(|picture| picture.rows.iter().find(|row| row.group == group)).collect();
        if rows.iter().all(Option::is_none) {
            continue;
        }
        write!(html, "<tr><th scope=\"row\">{}</th>", title(group));
        for row in rows {
            match row {
                Some(row) => html.push(&cells(row, &scale)),
                None => html.push(&Html::raw("<td class=\"none\">no page</td>")),
            }
        }
        html.push(&Html::raw("</tr>\n"));
    }
    html.push(&Html::raw("</tbody>\n</table></div>\n"));
    if let Some(shared) = pictures.iter().map(|picture| picture.pages_per_cell).max().filter(|&shared| shared > 1) {
        writeln!(html, "<p class=\"note\">This heap has many pages: up to {shared} of them share a box.</p>");
    }
    html
}

/// The committed memory against the limits, by use, and the totals.
fn whole(picture: &HeapPicture) -> Html {
    let (bytes, hard) = (picture.bytes(), picture.hard_limit_bytes.max(1));
    let committed: usize = bytes.iter().sum();
    let across = |part: usize| (part as u128 * (WIDTH * UNIT) as u128 / hard as u128) as usize;
    let mut html = Html::raw("<td>");
    write!(html, "<div class=\"size\">{} of {} committed</div>", kib(committed), kib(picture.hard_limit_bytes));
    write!(
        html,
        "<svg class=\"bar\" viewBox=\"0 0 {WIDTH} {BAR_HEIGHT}\" role=\"img\"><title>{} committed; soft limit {}, hard \
         limit {}</title><rect class=\"ground\" width=\"{WIDTH}\" height=\"{BAR_HEIGHT}\"/>",
        kib(committed),
        kib(picture.soft_limit_bytes),
        kib(picture.hard_limit_bytes)
    );
    let mut at = 0;
    for (memory_use, share) in MemoryUse::ALL.into_iter().zip(shares(&bytes, across(committed))) {
        if share != 0 {
            write!(
                html,
                "<rect class=\"use-{}\" x=\"{}\" width=\"{}\" height=\"{BAR_HEIGHT}\"/>",
                name(memory_use),
                tenths(at),
                tenths(share)
            );
        }
        at += share;
    }
    write!(
        html,
        "<path class=\"limit\" d=\"M{} 0v{BAR_HEIGHT}\"/></svg>\n<ul class=\"totals\">",
        tenths(across(picture.soft_limit_bytes))
    );
    for (memory_use, &bytes) in MemoryUse::ALL.into_iter().zip(&bytes) {
        if bytes != 0 {
            let name = name(memory_use);
            write!(html, "<li><i class=\"use-{name}\"></i>{name} {}</li>", kib(bytes));
        }
    }
    write!(
        html,
        "</ul>\n<div class=\"size\">{} live and {} dead objects</div></td>",
        grouped(picture.objects_live),
        grouped(picture.objects_dead)
    );
    html
}

/// How large the cells of a table are, in tenths: a few large ones, or many small ones.
struct Scale {
    columns: usize,
    pitch: usize,
    gap: usize,
    height: usize,
}

impl Scale {
    fn of(pictures: &[HeapPicture]) -> Scale {
        let cells = |picture: &HeapPicture| picture.rows.iter().map(|row| row.cells.len()).sum();
        let columns = match pictures.iter().map(cells).max().unwrap_or(0) {
            0..=64 => 15,
            65..=320 => 20,
            _ => 30,
        };
        let pitch = WIDTH * UNIT / columns;
        Scale { columns, pitch, gap: if columns < 30 { 2 * UNIT } else { UNIT + 2 }, height: pitch * 5 / 4 }
    }
}

/// The cells of one row at one moment.
fn cells(row: &Row, scale: &Scale) -> Html {
    let count = row.pages();
    let lines = row.cells.len().div_ceil(scale.columns);
    let place = |i: usize| {
        ((i % scale.columns) * scale.pitch + scale.gap / 2, (i / scale.columns) * (scale.height + scale.gap))
    };
    let width = scale.pitch - scale.gap;
    let mut html = Html::raw("<td>");
    write!(
        html,
        "<div class=\"size\">{}, {}</div><svg class=\"cells\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\">",
        pages(count),
        kib(row.bytes().iter().sum()),
        tenths(lines * (scale.height + scale.gap))
    );
    // The frames first: they are what the pointer meets, and the fillings lie on them.
    for (i, cell) in row.cells.iter().enumerate() {
        let (x, y) = place(i);
        write!(
            html,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}</title></rect>",
            tenths(x),
            tenths(y),
            tenths(width),
            tenths(scale.height),
            tooltip(row.group, cell)
        );
    }
    // One path for each use, not a shape for each page: pictures of large heaps stay small.
    let all: Vec<[usize; USES]> = row.cells.iter().map(|cell| shares(&cell.bytes, scale.height)).collect();
    for (i, memory_use) in MemoryUse::ALL.into_iter().enumerate() {
        let mut path = String::new();
        for (cell, shares) in all.iter().enumerate().filter(|(_, shares)| shares[i] != 0) {
            let (x, y) = place(cell);
            let below: usize = shares[..i].iter().sum();
            path.push_str(&format!(
                "M{} {}h{}v{}h-{}z",
                tenths(x),
                tenths(y + scale.height - below - shares[i]),
                tenths(width),
                tenths(shares[i]),
                tenths(width)
            ));
        }
        if !path.is_empty() {
            write!(html, "<path class=\"use-{}\" d=\"{path}\"/>", name(memory_use));
        }
    }
    html.push(&Html::raw("</svg></td>"));
    html
}

fn tooltip(group: Group, cell: &Cell) -> String {
    let which = if cell.pages == 1 {
        format!("page {}", cell.first)
    } else {
        format!("{} pages, {} to {}", cell.pages, cell.first, cell.last)
    };
    let uses: Vec<String> = MemoryUse::ALL
        .into_iter()
        .zip(cell.bytes)
        .filter(|&(_, bytes)| bytes != 0)
        .map(|(memory_use, bytes)| format!("{} {}", kib(bytes), name(memory_use)))
        .collect();
    format!("{which}, {}: {}", title(group), uses.join(", "))
}

/// Divides `length` in proportion to `bytes`: exactly, and a use that has bytes gets a hairline at least.
fn shares(bytes: &[usize; USES], length: usize) -> [usize; USES] {
    let total: u128 = bytes.iter().map(|&bytes| bytes as u128).sum();
    if total == 0 {
        return [0; USES];
    }
    let hairline = HAIRLINE.min(length / (2 * USES));
    let mut shares = bytes.map(|bytes| {
        let share = (bytes as u128 * length as u128 / total) as usize;
        if bytes == 0 { 0 } else { share.max(hairline) }
    });
    // What rounding and hairlines took or left goes to the greatest share. That share has enough: beside k hairlines
    // of at most a fourteenth, it is at least a (7 - k)-th, and k (7 - k) <= 12.
    let greatest = (0..USES).max_by_key(|&i| shares[i]).expect("there are uses");
    let others: usize = (0..USES).filter(|&i| i != greatest).map(|i| shares[i]).sum();
    shares[greatest] = length.saturating_sub(others);
    shares
}

/// Tenths of a unit, as a number.
fn tenths(tenths: usize) -> String {
    if tenths.is_multiple_of(UNIT) {
        (tenths / UNIT).to_string()
    } else {
        format!("{}.{}", tenths / UNIT, tenths % UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(group: Group, cells: usize) -> Row {
        let cell = |i: usize| Cell {
            first: i,
            last: i,
            pages: 1,
            bytes: core::array::from_fn(|u| if u == i % USES { 1024 } else { 0 }),
        };
        Row { group, cells: (0..cells).map(cell).collect() }
    }

    fn picture(moment: Moment, large: usize) -> HeapPicture {
        HeapPicture {
            moment,
            page_bytes: 1024,
            soft_limit_bytes: 2048 << 10,
            hard_limit_bytes: 4096 << 10,
            objects_live: 5,
            objects_dead: 1234,
            pages_per_cell: 1,
            rows: vec![row(Group::New, 8), row(Group::Large, large)],
        }
    }

    /// Shares fill the length exactly, are in proportion, and lose nothing.
    #[test]
    fn shares_add_up() {
        for length in [0, 70, 150, 3000] {
            for bytes in [
                [1, 0, 0, 0, 0, 0, 262_143],
                [1, 1, 1, 1, 1, 1, 1],
                [0, 0, 7, 0, 0, 0, 0],
                [1, 1 << 20, 1, 1 << 20, 1, 1, 1],
                [1, 9, 1, 9, 1, 9, 9],
                [100, 200, 0, 300, 0, 400, 0],
                [usize::MAX / 2, 1, 0, 0, 0, 0, usize::MAX / 2],
            ] {
                let shares = shares(&bytes, length);
                assert_eq!(shares.iter().sum::<usize>(), length, "{bytes:?}: {shares:?}");
                for (share, bytes) in shares.into_iter().zip(bytes) {
                    assert!(bytes != 0 || share == 0, "nothing is drawn as something");
                    assert!(bytes == 0 || share != 0 || length < 2 * USES, "something is drawn as nothing: {shares:?}");
                }
            }
        }
        assert_eq!(shares(&[100, 200, 0, 300, 0, 400, 0], 1000), [100, 200, 0, 300, 0, 400, 0]);
        assert_eq!(shares(&[0; USES], 100), [0; USES]);
    }

    /// A cell and a tooltip for each page, whatever their number; equal pictures are drawn equally.
    #[test]
    fn every_page_is_drawn() {
        for count in [0, 1, 16, 300, 4000] {
            let taken = [picture(Moment::Before, 0), picture(Moment::Full, count)];
            let html = pictures(&taken);
            assert_eq!(html.as_str().matches("</title></rect>").count(), 8 + 8 + count);
            assert_eq!(html, pictures(&taken));
            assert!(html.as_str().contains("4 096 KiB"), "{html}");
            assert!(html.as_str().contains("<title>page 3, new space: 1 KiB wasted</title>"), "{html}");
        }
    }

    #[test]
    fn a_shared_cell_says_so() {
        let mut shared = picture(Moment::Full, 1);
        shared.pages_per_cell = 4;
        shared.rows[1].cells[0] = Cell { first: 8, last: 15, pages: 4, bytes: [4096, 0, 0, 0, 0, 0, 0] };
        let html = pictures(&[shared]);
        assert!(html.as_str().contains("4 pages, 8 to 15, large objects: 4 KiB live"), "{html}");
        assert!(html.as_str().contains("up to 4 of them share a box"), "{html}");
    }

    #[test]
    fn the_legend_has_every_use() {
        let html = legend();
        assert!(MemoryUse::ALL.into_iter().all(|memory_use| html.as_str().contains(meaning(memory_use))), "{html}");
    }
}
