//! Every `verify/regressions/*.ops` is replayed, by each engine and on each source of memory.

use heaplab::memory::PageSource;
use heaplab_verify::ops::Program;
use heaplab_verify::shadow::{run_interleaved, run_single};
use std::path::Path;

#[test]
fn each_recorded_program_matches_its_shadow() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let mut replayed = 0;
    for entry in std::fs::read_dir(&directory).expect("verify/regressions exists") {
        let path = entry.expect("the directory can be read").path();
        if path.extension().is_none_or(|extension| extension != "ops") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let program = Program::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        println!("{}", path.display());
        for source in [PageSource::Mapped, PageSource::Owned] {
            if source == PageSource::Mapped && PageSource::default() != source {
                continue;
            }
            run_single(&program, source);
            run_interleaved(&program, source);
        }
        replayed += 1;
    }
    assert!(replayed != 0, "{} holds programs", directory.display());
}
