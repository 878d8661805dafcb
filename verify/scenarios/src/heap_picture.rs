//! Pictures of heaps: surveys, condensed to what a reader can take in, and kept with a scenario's report.
//!
//! A picture has a row for each group of pages, and in the row a cell for each page, with its bytes by use. If a heap
//! has more than [`CELLS_MAX`] pages, a cell has several neighbouring pages of a row, the same number in each row.
//!
//! * **D-1** The cells of a row hold its pages, each once, in the order of their numbers; rows without pages are left
//!   out.
//! * **D-2** The bytes of a cell add up to its pages' bytes.

use heaplab::page::PageKind;
use heaplab::{MemoryUse, Survey};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Cells of a picture at most; each row may have one more.
pub const CELLS_MAX: usize = 1024;

/// How many uses of memory there are.
pub const USES: usize = MemoryUse::ALL.len();

/// When, within a scenario, a picture was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before anything happens.
    Before,
    /// At the end of the always-allocate scope: every space was made full, and each allocation was tried.
    Full,
    /// After the scenario, its rivals, and the last verification.
    After,
    /// Before a step of a program that somebody looks at; no scenario has this moment.
    Step,
}

/// The pages of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Pages of the built-in objects.
    Roots,
    /// New space.
    New,
    /// Old space.
    Old,
    /// Map space.
    Map,
    /// Code space.
    Code,
    /// The large-object space.
    Large,
    /// Pages and runs that an always-allocate scope holds.
    Held,
    /// The page pool.
    Pool,
}

impl Group {
    /// All of them, in the order of a picture's rows.
    pub const ALL: [Group; 8] =
        [Group::Roots, Group::New, Group::Old, Group::Map, Group::Code, Group::Large, Group::Held, Group::Pool];

    fn of(kind: PageKind) -> Option<Group> {
        Some(match kind {
            PageKind::Root => Group::Roots,
            PageKind::New => Group::New,
            PageKind::Old => Group::Old,
            PageKind::Map => Group::Map,
            PageKind::Code => Group::Code,
            PageKind::LargeHead | PageKind::LargeTail => Group::Large,
            PageKind::Reserved => Group::Held,
            PageKind::Pooled => Group::Pool,
            PageKind::Free => return None,
        })
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Group::Roots => "roots",
            Group::New => "new",
            Group::Old => "old",
            Group::Map => "map",
            Group::Code => "code",
            Group::Large => "large",
            Group::Held => "held",
            Group::Pool => "pool",
        })
    }
}

/// A page, or several of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// The number of its first page.
    pub first: usize,
    /// The number of its last page; pages of other rows may lie between.
    pub last: usize,
    /// Its pages.
    pub pages: usize,
    /// Its bytes, in the order of [`MemoryUse::ALL`].
    pub bytes: [usize; USES],
}

/// The pages of one group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Which pages.
    pub group: Group,
    /// How the pages are used (D-1).
    pub cells: Vec<Cell>,
}

impl Row {
    /// Its pages.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.cells.iter().map(|cell| cell.pages).sum()
    }

    /// Its bytes, in the order of [`MemoryUse::ALL`].
    #[must_use]
    pub fn bytes(&self) -> [usize; USES] {
        sum(self.cells.iter().map(|cell| cell.bytes))
    }
}

/// A heap at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeapPicture {
    /// When the picture was taken.
    pub moment: Moment,
    /// Bytes of a page.
    pub page_bytes: usize,
    /// The soft limit then.
    pub soft_limit_bytes: usize,
    /// The hard limit then.
    pub hard_limit_bytes: usize,
    /// Objects that roots reach, built-in ones excluded.
    pub objects_live: u64,
    /// Objects that no root reaches.
    pub objects_dead: u64,
    /// Pages of a cell, but for the last one of a row.
    pub pages_per_cell: usize,
    /// The rows, in the order of [`Group::ALL`] (D-1).
    pub rows: Vec<Row>,
}

impl HeapPicture {
    /// The picture of a survey.
    #[must_use]
    pub fn of(moment: Moment, survey: &Survey) -> HeapPicture {
        let pages_per_cell = survey.pages.len().div_ceil(CELLS_MAX).next_power_of_two();
        let mut rows = Vec::new();
        for group in Group::ALL {
            let pages: Vec<Cell> = survey
                .pages
                .iter()
                .filter(|page| Group::of(page.kind) == Some(group))
                .map(|page| Cell {
                    first: page.index.index(),
                    last: page.index.index(),
                    pages: 1,
                    bytes: MemoryUse::ALL.map(|memory_use| page.bytes(memory_use)),
                })
                .collect();
            if !pages.is_empty() {
                rows.push(Row { group, cells: pages.chunks(pages_per_cell).map(join).collect() });
            }
        }
        HeapPicture {
            moment,
            page_bytes: survey.page_bytes,
            soft_limit_bytes: survey.soft_limit_bytes,
            hard_limit_bytes: survey.hard_limit_bytes,
            objects_live: survey.objects_live,
            objects_dead: survey.objects_dead,
            pages_per_cell,
            rows,
        }
    }

    /// Its pages.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.rows.iter().map(Row::pages).sum()
    }

    /// Its bytes, in the order of [`MemoryUse::ALL`].
    #[must_use]
    pub fn bytes(&self) -> [usize; USES] {
        sum(self.rows.iter().map(Row::bytes))
    }
}

/// The cell of several pages, at least one.
fn join(pages: &[Cell]) -> Cell {
    Cell {
        first: pages[0].first,
        last: pages[pages.len() - 1].last,
        pages: pages.len(),
        bytes: sum(pages.iter().map(|page| page.bytes)),
    }
}

fn sum(all: impl Iterator<Item = [usize; USES]>) -> [usize; USES] {
    all.fold([0; USES], |sum, bytes| core::array::from_fn(|i| sum[i] + bytes[i]))
}

#[cfg(all(test, not(feature = "shuttle")))]
mod tests {
    use super::*;
    use heaplab::{AllocationType, Heap, HeapConfig};

    /// Every page of the survey is in the picture once, whether a page has a cell or shares it (D-1, D-2).
    #[test]
    fn a_picture_has_every_page_once() {
        for (page_bytes, shared) in [(1 << 17, 1), (1 << 10, 2)] {
            let mut config = HeapConfig::sized(4 << 20, 3);
            config.page_bytes = Some(page_bytes);
            config.page_source = config.page_source.or_owned(page_bytes);
            config.pages_per_thread_min = 2;
            let heap = Heap::new(config).unwrap();
            let mut thread = heap.attach().unwrap();
            thread
                .run(|scope| {
                    while scope.soft_bytes_available() > 4 * page_bytes {
                        scope.new_bytes_in(page_bytes / 3, AllocationType::Old).unwrap();
                        scope.new_bytes(page_bytes).unwrap();
                    }
                })
                .unwrap();
            let survey = heap.survey().unwrap();
            let picture = HeapPicture::of(Moment::Full, &survey);
            assert_eq!(picture.pages_per_cell, shared, "{} pages", survey.pages.len());
            assert_eq!(picture.pages(), survey.pages.len());
            for (i, memory_use) in MemoryUse::ALL.into_iter().enumerate() {
                assert_eq!(picture.bytes()[i], survey.bytes(memory_use), "{memory_use:?}");
            }
            let cells: usize = picture.rows.iter().map(|row| row.cells.len()).sum();
            assert!(cells <= CELLS_MAX + picture.rows.len(), "{cells} cells");
            for cell in picture.rows.iter().flat_map(|row| &row.cells) {
                assert_eq!(cell.bytes.iter().sum::<usize>(), cell.pages * page_bytes, "{cell:?}");
                assert!(cell.last - cell.first + 1 >= cell.pages, "{cell:?}");
            }
        }
    }

    /// A picture that is written can be read back, as a build does that renders it.
    #[test]
    fn a_picture_survives_json() {
        let heap = Heap::new(HeapConfig::tiny()).unwrap();
        let picture = HeapPicture::of(Moment::Before, &heap.survey().unwrap());
        let text = serde_json::to_string(&picture).unwrap();
        assert_eq!(serde_json::from_str::<HeapPicture>(&text).unwrap(), picture);
    }
}
