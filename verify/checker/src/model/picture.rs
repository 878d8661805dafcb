//! The picture of a counterexample, as a file.

use crate::trace::{Counterexample, Sources};
use heaplab_common::artefact::{COUNTEREXAMPLES, write_artefact};
use std::path::PathBuf;

/// Draws a counterexample into `target/heaplab/counterexamples/`. Returns where the file is.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_picture(counterexample: &Counterexample, sources: &Sources) -> std::io::Result<PathBuf> {
    let mut name = counterexample.model.replace("::", ".");
    name.extend(
        counterexample.mutant.iter().flat_map(|mutant| ["-", mutant]).flat_map(str::chars).map(|character| {
            if character.is_ascii_alphanumeric() || ".-".contains(character) { character } else { '_' }
        }),
    );
    write_artefact(&format!("{COUNTEREXAMPLES}/{name}.svg"), &counterexample.svg(sources))
}
