//! Detection: bugs are planted one at a time, and every engine of the suite has a minute to notice.
//!
//! ```text
//! verify/bugs/NAME.patch -> a copy of the sources with the bug -> each engine, built before the clock starts
//!                                                                   -> target/heaplab/detection.json -> the report
//! ```
//!
//! A bug is a patch of the heap's sources ([`Bug`]), an engine a way to run the suite ([`Engine`]). The sources are
//! copied first ([`Tree`]), so the work tree is never touched, and a bug cannot outlive its run.
//!
//! * **DT-1** Before any bug, every engine passes on the copy as it is, since an engine that fails would seem to notice
//!   anything.
//! * **DT-2** A bug is *caught* by an engine that fails within [`SECONDS`]. An engine that runs out of time has
//!   missed it. How a program ended is known by its exit ([`Ending`]), and what it found before by its
//!   [notices](crate::notice): no engine is known by what it prints for people. An engine that ends before it has
//!   looked is an error.
//! * **DT-3** A bug whose patch does not fit, or that does not compile, is an error by its name, and is not counted
//!   as caught.
//! * **DT-4** An engine keeps nothing of what it finds: no bug is caught by a program that another one has left.

mod bug;
mod ending;
mod engine;
pub(crate) mod harness;
pub(crate) mod process;
mod tree;

pub use bug::Bug;
pub use ending::Ending;
pub use engine::{Engine, EngineName, Look, SECONDS};
pub use tree::Tree;

use heaplab_checker::as_text;
use heaplab_common::artefact::{artefact_directory, write_artefact};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file that the record is left in.
pub const DETECTION: &str = "detection.json";

/// What one engine made of one bug.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// The bug's name.
    pub bug: String,
    /// What is wrong.
    pub what: String,
    /// The engine.
    #[serde(with = "as_text")]
    pub engine: EngineName,
    /// After how many seconds the engine failed. `None` if it did not.
    pub seconds: Option<f64>,
    /// The operations of the program that the engine shrank to, where it shrinks.
    pub operations: Option<usize>,
}

/// Plants each bug and lets each of the engines look. Says what happens as it happens, and writes the record, which
/// keeps what earlier runs found out about other bugs and by other engines.
///
/// Takes minutes for each bug, most of them for building.
///
/// # Errors
/// What could not be done, with what to do about it.
pub fn detect(
    bugs: &[Bug],
    engines: &[Engine],
    root: &Path,
    mut say: impl FnMut(&str),
) -> Result<Vec<Detection>, String> {
    let tree = Tree::copy(root, &artefact_directory().join("detect"))?;
    for engine in engines {
        let look = engine.look(&tree)?;
        if let Some(seconds) = look.seconds {
            return Err(format!(
                "{} fails after {seconds:.1} s without any bug: make that pass first\n{}",
                engine.name, look.tail
            ));
        }
        say(&format!("{}: passes without a bug", engine.name));
    }
    let mut detections = Vec::new();
    for bug in bugs {
        let planted = tree.plant(bug)?;
        for engine in engines {
            let look = engine.look(&tree)?;
            let found = match look.seconds {
                Some(seconds) => format!("caught in {seconds:.1} s"),
                None => "missed".to_owned(),
            };
            let shrunk = look.operations.map_or(String::new(), |count| format!(", {count} operations"));
            say(&format!("{}: {}: {found}{shrunk}", bug.name, engine.name));
            detections.push(Detection {
                bug: bug.name.clone(),
                what: bug.what.clone(),
                engine: engine.name,
                seconds: look.seconds,
                operations: look.operations,
            });
        }
        drop(planted);
    }
    let mut record = known();
    record.retain(|one| !detections.iter().any(|new| new.bug == one.bug && new.engine == one.engine));
    record.extend(detections.iter().cloned());
    let text = serde_json::to_string_pretty(&record).map_err(|error| error.to_string())?;
    write_artefact(DETECTION, &text).map_err(|error| format!("{DETECTION} cannot be written: {error}"))?;
    Ok(detections)
}

/// The record of earlier runs. The record is empty if there is no file, or a damaged one.
fn known() -> Vec<Detection> {
    let text = std::fs::read(artefact_directory().join(DETECTION)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// The bugs that no engine caught.
#[must_use]
pub fn missed<'a>(bugs: &'a [Bug], detections: &[Detection]) -> Vec<&'a Bug> {
    let is_caught = |bug: &&Bug| detections.iter().any(|one| one.bug == bug.name && one.seconds.is_some());
    bugs.iter().filter(|bug| !is_caught(bug)).collect()
}
