//! `heaplab script` in a build that has no scripts.

use super::{ScriptOptions, complain};
use heaplab_common::exit::Exit;

/// Says that this build runs no script.
pub(super) fn script(_options: &ScriptOptions) -> Exit {
    complain("this build has no scripts: build with the feature `script`, which is a default one");
    Exit::BadUsage
}
