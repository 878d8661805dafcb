//! The geometry of a heap: page size, areas of the reservation, sizes derived from them. Fixed when the heap is built.
//!
//! ```text
//! offset 0                 root_pages        paged_pages                 paged_pages + large_pages
//!  | roots (immortal) | new, old, map, code and pooled pages | runs of the large-object space |
//! ```

use super::{ConfigError, GRANULE_BYTES, Offset, PageIndex, RESERVATION_BYTES_MAX, ROOT_BYTES, align_up};

/// Declares the fields, and a method for each that reads it: only [`Layout::derive`] makes a layout.
macro_rules! layout {
    ($($(#[$doc:meta])* $field:ident: $ty:ty,)*) => {
        /// Derived sizes of a heap, and where its areas lie. A value of this type passes [`Layout::check`]: only
        /// [`Layout::derive`] makes one, and nothing in it changes.
        #[derive(Clone, Debug)]
        pub struct Layout {
            $($field: $ty,)*
        }

        impl Layout {
            $(
                $(#[$doc])*
                #[inline(always)]
                #[must_use]
                pub const fn $field(&self) -> $ty {
                    self.$field
                }
            )*
        }
    };
}

layout! {
    /// log2 of the page size.
    page_shift: u32,
    /// Bytes of a page.
    page_bytes: usize,
    /// Pages of the immortal built-in objects, at the start.
    root_pages: usize,
    /// Pages of the paged area, roots included.
    paged_pages: usize,
    /// Pages of the large-object area, after the paged one.
    large_pages: usize,
    /// Pages that new space may hold, always counted as committed.
    new_pages: usize,
    /// Local heaps that may be attached at once.
    threads_max: usize,
    /// Desired size of a young LAB, in bytes.
    young_lab_bytes: usize,
    /// An object of more bytes than this is a large object: half a page.
    regular_bytes_max: usize,
    /// A page whose greatest hole has fewer bytes than this is offered to nobody until it is swept again.
    small_hole_bytes: usize,
    /// Bytes of the largest object.
    object_bytes_max: usize,
    /// Pages of the initial soft limit.
    soft_limit_pages: usize,
    /// Pages of the initial hard limit.
    hard_limit_pages: usize,
    /// Pages of the greatest hard limit that may be set, or that the near-limit callback may raise it to.
    hard_limit_pages_max: usize,
    /// Free pages that stay committed after a collection.
    pool_pages_max: usize,
    /// Capacity of the collector's work list, in entries.
    worklist_entries: usize,
}

/// What [`Layout::derive`] needs: the part of a configuration that decides the geometry. Sizes are in bytes, unless a
/// name says otherwise.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct LayoutRequest {
    pub page_bytes: Option<usize>,
    /// The smallest page that the source of the memory gives back.
    pub page_bytes_min: usize,
    pub soft_limit_bytes: usize,
    pub hard_limit_bytes: usize,
    pub hard_limit_bytes_max: usize,
    pub new_space_bytes: usize,
    pub young_lab_bytes: usize,
    pub small_hole_bytes: Option<usize>,
    pub pool_bytes_max: usize,
    pub threads_max: usize,
    pub pages_per_thread_min: usize,
    pub worklist_entries: usize,
    /// Pages of the large-object area, set in small worlds only; `None` for twice as many as `hard_limit_bytes_max`
    /// has, since runs fragment.
    pub large_pages: Option<usize>,
}

const PAGE_BYTES_DERIVED: [usize; 5] = [256 << 10, 128 << 10, 64 << 10, 32 << 10, 16 << 10];
const PAGE_BYTES_MIN: usize = 128;
const PAGE_BYTES_MAX: usize = 1 << 20;
/// The most pages of a reservation: a bound on the side tables, which have some 20 bytes for each page.
const PAGES_MAX: usize = 1 << 24;
const THREADS_MAX: usize = 4096;
/// Bytes of the largest object of any heap: the length word of a filler is a small integer, which bounds every gap
/// and so every object.
const OBJECT_BYTES_MAX: usize = (1 << 30) - GRANULE_BYTES;
/// A hole is small below this share of a page, unless the configuration says otherwise.
const SMALL_HOLE_SHARE: usize = 32;

/// Passes if `holds`, else returns the error that blames `field`.
fn require(holds: bool, field: &'static str, reason: &dyn Fn() -> String) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::new(field, reason())) }
}

/// The error that names a field of the configuration.
fn refuse<T>(field: &'static str, reason: String) -> Result<T, ConfigError> {
    Err(ConfigError::new(field, reason))
}

impl LayoutRequest {
    /// Checks the number of threads and the limits, each by itself and against each other.
    fn check_limits(&self) -> Result<(), ConfigError> {
        let r = self;
        if r.threads_max == 0 || r.threads_max > THREADS_MAX {
            return refuse("threads_max", format!("{} is not within 1..={THREADS_MAX}", r.threads_max));
        }
        if r.hard_limit_bytes == 0 {
            return refuse("hard_limit_bytes", "0 bytes: a heap needs memory".into());
        }
        if r.hard_limit_bytes_max < r.hard_limit_bytes {
            return refuse(
                "hard_limit_bytes_max",
                format!("{} is less than hard_limit_bytes, {}", r.hard_limit_bytes_max, r.hard_limit_bytes),
            );
        }
        if r.hard_limit_bytes_max > RESERVATION_BYTES_MAX {
            return refuse(
                "hard_limit_bytes_max",
                format!(
                    "{} is beyond the {RESERVATION_BYTES_MAX} bytes that a heap of this system can address",
                    r.hard_limit_bytes_max
                ),
            );
        }
        if r.soft_limit_bytes > r.hard_limit_bytes {
            return refuse(
                "soft_limit_bytes",
                format!("{} is above hard_limit_bytes, {}", r.soft_limit_bytes, r.hard_limit_bytes),
            );
        }
        Ok(())
    }

    /// The size of a page: what was asked for, else the greatest of which the hard limit has enough for all threads.
    fn choose_page_bytes(&self) -> Result<usize, ConfigError> {
        let r = self;
        let pages_min = r.pages_per_thread_min.max(1).saturating_mul(r.threads_max + 1);
        let page_bytes = match r.page_bytes {
            Some(p) if !p.is_power_of_two() || !(PAGE_BYTES_MIN..=PAGE_BYTES_MAX).contains(&p) => {
                return refuse("page_bytes", format!("{p} is no power of two within {PAGE_BYTES_MIN} bytes ..= 1 MiB"));
            }
            Some(p) if p < r.page_bytes_min => {
                return refuse(
                    "page_bytes",
                    format!(
                        "{p} bytes are less than a page of the system, {}, so they could not be given back \
                         alone: take larger pages, or PageSource::Owned",
                        r.page_bytes_min
                    ),
                );
            }
            Some(p) => p,
            // The greatest size of which there are enough pages; else the least that can be given back.
            None => PAGE_BYTES_DERIVED
                .into_iter()
                .find(|&p| p >= r.page_bytes_min && r.hard_limit_bytes / p >= pages_min)
                .unwrap_or(PAGE_BYTES_DERIVED[PAGE_BYTES_DERIVED.len() - 1].max(r.page_bytes_min)),
        };
        let hard_limit_pages = r.hard_limit_bytes / page_bytes;
        if hard_limit_pages < pages_min {
            return refuse(
                "hard_limit_bytes",
                format!(
                    "{} bytes are {hard_limit_pages} pages of {page_bytes} bytes; {} threads need at \
                     least {pages_min}: raise the limit or lower threads_max",
                    r.hard_limit_bytes, r.threads_max
                ),
            );
        }
        Ok(page_bytes)
    }

    /// Checks that new space and the built-in objects fit within the soft limit.
    fn check_new_space(&self, page_bytes: usize, root_pages: usize) -> Result<(), ConfigError> {
        let r = self;
        let (soft_limit_pages, new_pages) = (r.soft_limit_bytes / page_bytes, r.new_space_bytes / page_bytes);
        if new_pages == 0 {
            return refuse(
                "new_space_bytes",
                format!("{} is less than one page of {page_bytes} bytes", r.new_space_bytes),
            );
        }
        if root_pages >= soft_limit_pages {
            return refuse(
                "soft_limit_bytes",
                format!(
                    "{} bytes are {soft_limit_pages} pages of {page_bytes} bytes; the built-in \
                     objects and new space need at least {}",
                    r.soft_limit_bytes,
                    root_pages + 1
                ),
            );
        }
        if new_pages + root_pages > soft_limit_pages {
            return refuse(
                "new_space_bytes",
                format!(
                    "{new_pages} pages of new space and {root_pages} of roots exceed the soft limit of \
                     {soft_limit_pages} pages of {page_bytes} bytes",
                ),
            );
        }
        Ok(())
    }
}

impl Layout {
    /// Computes the geometry.
    ///
    /// # Errors
    /// Names the field that is out of its range, and the range.
    pub fn derive(r: &LayoutRequest) -> Result<Layout, ConfigError> {
        r.check_limits()?;
        let page_bytes = r.choose_page_bytes()?;
        let hard_limit_pages = r.hard_limit_bytes / page_bytes;
        let root_pages = ROOT_BYTES.div_ceil(page_bytes);
        let hard_limit_pages_max = r.hard_limit_bytes_max / page_bytes;
        let soft_limit_pages = r.soft_limit_bytes / page_bytes;
        let new_pages = r.new_space_bytes / page_bytes;
        r.check_new_space(page_bytes, root_pages)?;
        let regular_bytes_max = page_bytes / 2;
        let granules = |bytes: usize| align_up(bytes.clamp(GRANULE_BYTES, regular_bytes_max), GRANULE_BYTES);
        let reservation_pages = RESERVATION_BYTES_MAX / page_bytes;
        // One page beyond the limit, so that the address of a page is always at hand for whoever holds budget for it.
        let paged_pages = (hard_limit_pages_max + 1).min(reservation_pages / 2);
        let large_pages = r
            .large_pages
            .unwrap_or_else(|| hard_limit_pages_max.saturating_mul(2))
            .min(reservation_pages - paged_pages);
        if paged_pages + large_pages > PAGES_MAX {
            return refuse(
                "page_bytes",
                format!(
                    "{page_bytes} bytes make {} pages of what is reserved for {} bytes, more than \
                     {PAGES_MAX}: take larger pages or lower hard_limit_bytes_max",
                    paged_pages + large_pages,
                    r.hard_limit_bytes_max
                ),
            );
        }
        let object_bytes_max = (hard_limit_pages_max * page_bytes).min(large_pages * page_bytes).min(OBJECT_BYTES_MAX);
        let layout = Layout {
            page_shift: page_bytes.trailing_zeros(),
            page_bytes,
            root_pages,
            paged_pages,
            large_pages,
            new_pages,
            threads_max: r.threads_max,
            young_lab_bytes: granules(r.young_lab_bytes),
            regular_bytes_max,
            small_hole_bytes: granules(r.small_hole_bytes.unwrap_or(page_bytes / SMALL_HOLE_SHARE)),
            object_bytes_max,
            soft_limit_pages,
            hard_limit_pages,
            hard_limit_pages_max,
            pool_pages_max: r.pool_bytes_max / page_bytes,
            worklist_entries: r.worklist_entries.max(1),
        };
        layout.check()?;
        Ok(layout)
    }

    /// Checks what the heap relies on of every layout. [`derive`](Self::derive) calls this after its last clamp, so
    /// that no combination of fields gets past it.
    ///
    /// # Errors
    /// Names the configuration field that is to change, and why.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_areas()?;
        self.check_sizes()
    }

    /// Checks pages, areas, limits and the number of threads.
    fn check_areas(&self) -> Result<(), ConfigError> {
        let bytes = |pages: usize| pages.checked_mul(self.page_bytes);
        require(
            self.page_bytes.is_power_of_two()
                && (PAGE_BYTES_MIN..=PAGE_BYTES_MAX).contains(&self.page_bytes)
                && self.page_bytes == 1 << self.page_shift,
            "page_bytes",
            &|| format!("{} is no power of two within {PAGE_BYTES_MIN} bytes ..= 1 MiB", self.page_bytes),
        )?;
        require(
            self.paged_pages.checked_add(self.large_pages).and_then(bytes).is_some_and(|b| b <= RESERVATION_BYTES_MAX)
                && self.pages() <= PAGES_MAX,
            "hard_limit_bytes_max",
            &|| {
                format!(
                    "{} paged and {} large pages of {} bytes are more than can be reserved",
                    self.paged_pages, self.large_pages, self.page_bytes
                )
            },
        )?;
        require(bytes(self.root_pages).is_some_and(|b| b >= ROOT_BYTES), "page_bytes", &|| {
            format!("{} pages do not hold the {ROOT_BYTES} bytes of the built-in objects", self.root_pages)
        })?;
        // The frontier's table counts ordinals from 1, so it needs a page; and new space lies in the paged area with
        // a page to spare for old space.
        require(
            self.new_pages != 0
                && self.root_pages.checked_add(self.new_pages).is_some_and(|pages| pages < self.paged_pages),
            "new_space_bytes",
            &|| {
                format!(
                    "{} pages of new space and {} of built-in objects leave no page for old objects of the {} pages \
                     of {} bytes that can be addressed beside large objects",
                    self.new_pages, self.root_pages, self.paged_pages, self.page_bytes
                )
            },
        )?;
        require(self.root_pages + self.new_pages <= self.soft_limit_pages, "new_space_bytes", &|| {
            format!("{} pages of new space are above the soft limit of {}", self.new_pages, self.soft_limit_pages)
        })?;
        require(self.soft_limit_pages <= self.hard_limit_pages, "soft_limit_bytes", &|| {
            format!("{} pages are above the hard limit of {}", self.soft_limit_pages, self.hard_limit_pages)
        })?;
        require(self.hard_limit_pages <= self.hard_limit_pages_max, "hard_limit_bytes_max", &|| {
            format!("{} pages are below the hard limit of {}", self.hard_limit_pages_max, self.hard_limit_pages)
        })?;
        require((1..=THREADS_MAX).contains(&self.threads_max), "threads_max", &|| {
            format!("{} is not within 1..={THREADS_MAX}", self.threads_max)
        })
    }

    /// Checks the sizes of LABs, holes, objects and the work list.
    fn check_sizes(&self) -> Result<(), ConfigError> {
        let bytes = |pages: usize| pages.checked_mul(self.page_bytes);
        // L-1: a LAB has at most half a page.
        require(self.regular_bytes_max == self.page_bytes / 2, "page_bytes", &|| {
            format!("regular objects have up to {} bytes", self.regular_bytes_max)
        })?;
        let within = |size: usize, least: usize, most: usize| {
            size.is_multiple_of(GRANULE_BYTES) && (least..=most).contains(&size)
        };
        require(within(self.young_lab_bytes, GRANULE_BYTES, self.regular_bytes_max), "young_lab_bytes", &|| {
            format!(
                "{} is no multiple of {GRANULE_BYTES} within {GRANULE_BYTES}..={}",
                self.young_lab_bytes, self.regular_bytes_max
            )
        })?;
        require(within(self.small_hole_bytes, GRANULE_BYTES, self.regular_bytes_max), "small_hole_bytes", &|| {
            format!(
                "{} is no multiple of {GRANULE_BYTES} within {GRANULE_BYTES}..={}",
                self.small_hole_bytes, self.regular_bytes_max
            )
        })?;
        require(
            within(self.object_bytes_max, self.page_bytes, OBJECT_BYTES_MAX)
                && bytes(self.large_pages).is_some_and(|b| self.object_bytes_max <= b),
            "hard_limit_bytes_max",
            &|| {
                format!(
                    "the largest object has {} bytes, and large objects have {} pages of {}",
                    self.object_bytes_max, self.large_pages, self.page_bytes
                )
            },
        )?;
        require(self.worklist_entries != 0, "worklist_entries", &|| "0 entries: marking needs one".to_owned())
    }

    /// Pages of the whole reservation.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.paged_pages + self.large_pages
    }

    /// The page that holds `offset`.
    #[inline(always)]
    #[must_use]
    pub fn page_of(&self, offset: Offset) -> PageIndex {
        PageIndex::new(offset.bytes() >> self.page_shift)
    }

    /// The first byte of `page`.
    #[inline(always)]
    #[must_use]
    pub fn page_start(&self, page: PageIndex) -> Offset {
        Offset::new(page.index() << self.page_shift)
    }

    /// The first byte after `page`.
    #[inline(always)]
    #[must_use]
    pub fn page_end(&self, page: PageIndex) -> Offset {
        Offset::new((page.index() + 1) << self.page_shift)
    }

    /// Pages that hold `bytes`, rounded up.
    #[inline(always)]
    #[must_use]
    pub fn pages_for(&self, bytes: usize) -> usize {
        bytes.div_ceil(self.page_bytes)
    }
}

#[cfg(test)]
impl LayoutRequest {
    /// For unit tests: eight pages of 128 bytes at most, one of them new space's, one thread.
    pub(crate) const EIGHT_PAGES: LayoutRequest = LayoutRequest {
        page_bytes: Some(PAGE_BYTES_MIN),
        page_bytes_min: 1,
        soft_limit_bytes: 8 * PAGE_BYTES_MIN,
        hard_limit_bytes: 8 * PAGE_BYTES_MIN,
        hard_limit_bytes_max: 8 * PAGE_BYTES_MIN,
        new_space_bytes: PAGE_BYTES_MIN,
        young_lab_bytes: PAGE_BYTES_MIN / 2,
        small_hole_bytes: None,
        pool_bytes_max: 0,
        threads_max: 1,
        pages_per_thread_min: 1,
        worklist_entries: 1,
        large_pages: None,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> LayoutRequest {
        LayoutRequest {
            page_bytes: None,
            page_bytes_min: 4096,
            soft_limit_bytes: 16 << 20,
            hard_limit_bytes: 32 << 20,
            hard_limit_bytes_max: 64 << 20,
            new_space_bytes: 4 << 20,
            young_lab_bytes: 32 << 10,
            small_hole_bytes: None,
            pool_bytes_max: 4 << 20,
            threads_max: 15,
            pages_per_thread_min: 16,
            worklist_entries: 1024,
            large_pages: None,
        }
    }

    #[test]
    fn page_size_follows_the_heap() {
        let mut r = request();
        assert_eq!(Layout::derive(&r).unwrap().page_bytes, 128 << 10);
        r.hard_limit_bytes = 4 << 20;
        r.soft_limit_bytes = 4 << 20;
        r.new_space_bytes = 1 << 20;
        assert_eq!(Layout::derive(&r).unwrap().page_bytes, 16 << 10);
        r.threads_max = 16;
        assert_eq!(Layout::derive(&r).unwrap_err().field(), "hard_limit_bytes");
    }

    /// Where the system's pages are large, the heap's are no smaller, however small the heap.
    #[test]
    fn derived_pages_are_no_smaller_than_the_systems() {
        let mut r = request();
        (r.soft_limit_bytes, r.hard_limit_bytes, r.new_space_bytes) = (8 << 20, 8 << 20, 1 << 20);
        assert_eq!(Layout::derive(&r).unwrap().page_bytes, 32 << 10);
        r.page_bytes_min = 64 << 10;
        assert_eq!(Layout::derive(&r).unwrap_err().field(), "hard_limit_bytes");
        r.threads_max = 7;
        assert_eq!(Layout::derive(&r).unwrap().page_bytes, 64 << 10);
    }

    /// Every misconfiguration is refused by naming its field.
    #[test]
    fn each_bad_field_is_named() {
        type Case = (&'static str, fn(&mut LayoutRequest));
        let cases: [Case; 11] = [
            ("threads_max", |r| r.threads_max = 0),
            ("page_bytes", |r| r.page_bytes = Some(2048)),
            ("page_bytes", |r| r.page_bytes = Some(24 << 10)),
            ("page_bytes", |r| r.page_bytes = Some(PAGE_BYTES_MIN / 2)),
            ("soft_limit_bytes", |r| r.soft_limit_bytes = 33 << 20),
            ("hard_limit_bytes", |r| r.hard_limit_bytes = 0),
            ("hard_limit_bytes_max", |r| r.hard_limit_bytes_max = RESERVATION_BYTES_MAX + 1),
            ("hard_limit_bytes_max", |r| r.hard_limit_bytes_max = 1 << 20),
            ("new_space_bytes", |r| r.new_space_bytes = 1),
            ("soft_limit_bytes", |r| r.soft_limit_bytes = 1),
            // The limits are valid, but half of what can be addressed is for large objects.
            ("new_space_bytes", |r| {
                r.page_bytes = Some(1 << 20);
                r.soft_limit_bytes = RESERVATION_BYTES_MAX;
                r.hard_limit_bytes = RESERVATION_BYTES_MAX;
                r.hard_limit_bytes_max = RESERVATION_BYTES_MAX;
                r.new_space_bytes = RESERVATION_BYTES_MAX / 4 * 3;
            }),
        ];
        for (field, spoil) in cases {
            let mut r = request();
            spoil(&mut r);
            let error = Layout::derive(&r).unwrap_err();
            assert_eq!(error.field(), field, "{error}");
        }
    }

    #[test]
    fn the_greatest_heap_fits_the_reservation() {
        let mut r = request();
        r.hard_limit_bytes_max = RESERVATION_BYTES_MAX;
        let layout = Layout::derive(&r).unwrap();
        // Half of what can be addressed is left for large objects.
        assert_eq!(layout.pages() * layout.page_bytes, RESERVATION_BYTES_MAX);
        assert_eq!(layout.large_pages, layout.paged_pages);
        // The greatest multiple of a granule that a small integer can count.
        assert_eq!(layout.object_bytes_max, OBJECT_BYTES_MAX.min(RESERVATION_BYTES_MAX / 2));
    }

    #[test]
    fn areas_and_sizes_follow_the_limits() {
        let layout = Layout::derive(&request()).unwrap();
        assert_eq!((layout.root_pages, layout.new_pages, layout.pool_pages_max), (1, 32, 32));
        assert_eq!((layout.soft_limit_pages, layout.hard_limit_pages, layout.hard_limit_pages_max), (128, 256, 512));
        // A page more than the greatest limit has, and twice that limit for large objects, since runs fragment.
        assert_eq!((layout.paged_pages, layout.large_pages), (513, 1024));
        assert_eq!((layout.regular_bytes_max, layout.small_hole_bytes), (64 << 10, 4 << 10));
    }

    /// As many pages as there can be entries for, and not one more. A small address space has fewer.
    #[cfg(target_pointer_width = "64")]
    #[test]
    fn pages_are_bounded() {
        let mut r = request();
        (r.page_bytes, r.page_bytes_min) = (Some(PAGE_BYTES_MIN), PAGE_BYTES_MIN);
        // For each page of the limit a page of the paged area and two of the large one; and one page more.
        r.hard_limit_bytes_max = (PAGES_MAX - 1) / 3 * PAGE_BYTES_MIN;
        assert_eq!(Layout::derive(&r).unwrap().pages(), PAGES_MAX);
        for bytes in [r.hard_limit_bytes_max + PAGE_BYTES_MIN, RESERVATION_BYTES_MAX] {
            r.hard_limit_bytes_max = bytes;
            assert_eq!(Layout::derive(&r).unwrap_err().field(), "page_bytes");
        }
    }
}
