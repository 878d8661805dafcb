//! Where the sources are that this program was built from.

use std::path::Path;

/// The root of the workspace that this program was built in. The directory does not exist on a machine that only the
/// program was copied to.
///
/// # Panics
/// Never: this crate lies two directories below the root.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this crate lies two directories below the root")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_has_the_heap_and_the_suite() {
        for path in ["Cargo.toml", "src/lib.rs", "verify/Cargo.toml", "verify/common/src/workspace.rs"] {
            assert!(workspace().join(path).is_file(), "{path}");
        }
    }
}
