//! Models by a part of their names.

use heaplab_checker::model::Model;

/// The models whose names contain `only`; all without it.
pub(super) fn find_models<'a>(all: &'a [Model], only: Option<&str>) -> Result<Vec<&'a Model>, String> {
    let found: Vec<&Model> = all.iter().filter(|model| only.is_none_or(|part| model.name.contains(part))).collect();
    if found.is_empty() {
        let part = only.unwrap_or_default();
        return Err(format!("no model's name contains `{part}`; `models --list` prints them all"));
    }
    Ok(found)
}
