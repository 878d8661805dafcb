//! The mission's scenarios: everything is full, and an allocation succeeds all the same.
//!
//! After memory-reducing collections, a thread enters an always-allocate scope whose reserve is a young, an old, a map
//! and a code page and one large run. Then it makes every space full, one after the other, and allocates in each:
//!
//! | step | first | then allocates |
//! |---|---|---|
//! | 1 | new space full | a young array of 100 elements |
//! | 2 | old space full | an old array of 100 elements |
//! | 3 | large arrays up to the soft limit | one more large array |
//! | 4 | old and map space full | a map |
//! | 5 | code space full | a code object of [`CODE_BYTES`] bytes |
//!
//! Each object is overwritten by a filler of its own size, or dropped. What must hold:
//!
//! * **SN-1** every allocation inside the scope succeeds at its first attempt: no retry of the owner is counted;
//! * **SN-2** no collection is requested by the owner inside the scope;
//! * **SN-3** the verifier finds nothing afterwards;
//! * **SN-4** the committed memory never exceeds the hard limit (the heap asserts it in every stop).
//!
//! SN-1 and SN-2 are promised up to the reserve. Step 3 may go beyond the reserve when a rival takes the room between
//! the check of the soft limit and the allocation. Then only the soft limit is lifted, and success depends on what
//! rivals keep alive: [`rival`] keeps so little that between two collections each of them exceeds the soft limit by
//! one request at most.
//!
//! The scenario bodies start no thread and ask for no time: their caller does. So the same functions run under the
//! model checker. On small pages the small arrays and the code object shrink to what fits into half a page.
//!
//! [`run`] takes pictures of the heap: before the scenario, when every space is full, and after it. Each is a stop of
//! its own, outside of every step whose requests are counted, so a picture cannot meet or break any of the conditions
//! above.

mod doors;
mod heap_picture;
mod report;
mod rivals;
mod run;
mod steps;
pub mod stress;

pub use heap_picture::{CELLS_MAX, Cell, Group, HeapPicture, Moment, Row, USES};
pub use report::{Mode, ScenarioReport, Tally};
pub use rivals::{RivalPlan, RivalReport, rival};
pub use run::{SCENARIOS, Scenario, attached, run};
pub use steps::{CODE_BYTES, Sizes, alloc_after_failures, alloc_after_failures_raw, stress_handles};
