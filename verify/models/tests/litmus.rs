//! The litmus table against the checker.

#![cfg(feature = "loom")]

use heaplab::sync::model_control::Pass;
use heaplab_checker::model::LitmusVerdict;
use heaplab_checker::model::litmus::verdict;
use heaplab_models::litmus::TABLE;

/// A change in what the checker explores turns this red.
#[test]
fn each_pass_explores_what_the_table_says() {
    let wrong: Vec<String> = TABLE.iter().filter_map(|one| one.record().err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The first pass alone is blind to plain interleavings, and only the first sees stale values.
#[test]
fn each_pass_sees_what_the_other_misses() {
    let known = |name: &str, pass| {
        let one = TABLE.iter().find(|one| one.name == name).expect("in the table");
        verdict(&one.allowed(), &one.expected(pass))
    };
    assert_eq!(known("load and exchange against a reader", Pass::Normal), LitmusVerdict::Misses);
    assert_eq!(known("load and exchange against a reader", Pass::ReadAsRmw), LitmusVerdict::Exact);
    assert_eq!(known("message passing, relaxed", Pass::Normal), LitmusVerdict::Exact);
    assert_eq!(known("message passing, relaxed", Pass::ReadAsRmw), LitmusVerdict::Misses);
    assert_eq!(known("store against RMW", Pass::Normal), LitmusVerdict::FalseAlarm);
    // The explorer sees what either sees, in one pass. It has no load buffering, and no fault that nobody asks for.
    for one in TABLE {
        let expected = match one.name {
            "load buffering, relaxed" | "weak exchange" => LitmusVerdict::Misses,
            _ => LitmusVerdict::Exact,
        };
        assert_eq!(known(one.name, Pass::Graphs), expected, "{}", one.name);
    }
}
