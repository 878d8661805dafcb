//! Counterexamples.
use heaplab::sync::model_control::JournalEntry;
/// stub
pub struct Sources;
impl Sources {
    /// stub
    pub fn of_the_workspace() -> Sources {
        Sources
    }
}
/// stub
pub struct Counterexample {
    /// s
    pub model: String,
    /// s
    pub pass: String,
    /// s
    pub bound: String,
    /// s
    pub execution: u64,
    /// s
    pub message: String,
    /// s
    pub failed_thread: Option<usize>,
    /// s
    pub token: String,
    /// s
    pub mutant: Option<String>,
    /// s
    pub journal: Vec<JournalEntry>,
}
impl Counterexample {
    /// s
    pub fn columns(&self, _: &Sources) -> String {
        String::new()
    }
    /// s
    pub fn svg(&self, _: &Sources) -> String {
        String::new()
    }
}
