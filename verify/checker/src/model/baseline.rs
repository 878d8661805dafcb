//! The committed baseline: how many executions each pass of each model has.
//!
//! A model can go blind without failing: a changed world no longer meets its race, and the exploration shrinks. Or
//! the model can grow until nobody waits for it any more. So a pass that has less than a tenth or more than ten times
//! the executions of `verify/models/baseline.txt` is red, and so is a pass that is not in the file. The explorer's
//! graphs are counted exactly. After an intended change, this command writes the file anew:
//!
//! ```console
//! cargo run --release --features loom -- models --bless
//! ```

use super::{Certificate, Pass};
use heaplab_common::workspace;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The factor by which a pass may grow or shrink.
pub const FACTOR: u64 = 10;

/// What to do about an objection.
pub const BLESS: &str = "if that is on purpose, run `cargo run --release --features loom -- models --bless` and commit \
                         verify/models/baseline.txt";

/// Executions by model and pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<(String, Pass), u64>);

impl Baseline {
    /// The file in the tree.
    #[must_use]
    pub fn path() -> PathBuf {
        workspace().join("verify/models/baseline.txt")
    }

    /// The committed baseline.
    ///
    /// # Panics
    /// The file cannot be read, or a line of it is no row of a baseline: the message names the file.
    #[must_use]
    pub fn committed() -> Baseline {
        let text = std::fs::read_to_string(Baseline::path()).map_err(|error| error.to_string());
        text.and_then(|text| Baseline::parse(&text))
            .unwrap_or_else(|error| panic!("verify/models/baseline.txt: {error}"))
    }

    /// Reads lines of model, pass and executions.
    ///
    /// # Errors
    /// The number of a line that is no such row, or that repeats another row.
    pub fn parse(text: &str) -> Result<Baseline, String> {
        let mut baseline = Baseline::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if line.is_empty() {
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let [model, pass, count] = words[..] else {
                return Err(format!("line {}: expected model, pass and executions", index + 1));
            };
            let pass: Pass = pass.parse().map_err(|error| format!("line {}: {error}", index + 1))?;
            let count = count.parse().map_err(|error| format!("line {}: {count}: {error}", index + 1))?;
            if baseline.0.insert((model.to_owned(), pass), count).is_some() {
                return Err(format!("line {}: the {pass} pass of {model} stands there twice", index + 1));
            }
        }
        Ok(baseline)
    }

    /// The baseline that these certificates make.
    #[must_use]
    pub fn of(certificates: &[Certificate]) -> Baseline {
        let row = |one: &Certificate| ((one.model.clone(), one.pass), one.executions);
        Baseline(certificates.iter().map(row).collect())
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text =
            "# Executions of each pass of each model: see verify/checker/src/model/baseline.rs. Written by\n\
                        # cargo run --release --features loom -- models --bless\n"
                .to_owned();
        for ((model, pass), count) in &self.0 {
            writeln!(text, "{model} {pass} {count}").expect("a string takes anything");
        }
        text
    }

    /// The models of the baseline, each once.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        let mut last = "";
        self.0.keys().filter_map(move |(model, _)| {
            let is_new = model != last;
            last = model;
            is_new.then_some(model.as_str())
        })
    }

    /// Executions of a model in all its passes. 0 if the model is not in the baseline.
    #[must_use]
    pub fn executions(&self, model: &str) -> u64 {
        self.0.iter().filter(|((known, _), _)| known == model).map(|(_, count)| count).sum()
    }

    /// Execution graphs of a model. `None` if the baseline has none of it.
    #[must_use]
    pub fn graphs(&self, model: &str) -> Option<u64> {
        self.0.get(&(model.to_owned(), Pass::Graphs)).copied()
    }

    /// What is wrong with a pass that had `executions` executions, if anything.
    #[must_use]
    pub fn objection(&self, model: &str, pass: Pass, executions: u64) -> Option<String> {
        match self.0.get(&(model.to_owned(), pass)) {
            None => Some("it is not in the baseline".to_owned()),
            // The graphs of a model are what they are: one more or less is another model, or another explorer.
            Some(&before) if pass == Pass::Graphs && executions != before => {
                Some(format!("{executions} execution graphs where the baseline has {before}"))
            }
            Some(&before) if executions * FACTOR < before => {
                Some(format!("{executions} executions where the baseline has {before}: it may have lost its race"))
            }
            Some(&before) if executions > before * FACTOR => {
                Some(format!("{executions} executions where the baseline has {before}: it explodes"))
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_shrinks_or_grows_tenfold_is_objected_to() {
        let baseline = Baseline::parse("# text\na::b normal 100\na::b read-as-rmw 7 # why\n").unwrap();
        assert_eq!(Baseline::parse(&baseline.text()), Ok(baseline.clone()));
        assert_eq!(baseline.objection("a::b", Pass::Normal, 10), None);
        assert_eq!(baseline.objection("a::b", Pass::Normal, 1000), None);
        assert!(baseline.objection("a::b", Pass::Normal, 9).unwrap().contains("lost its race"));
        assert!(baseline.objection("a::b", Pass::Normal, 1001).unwrap().contains("explodes"));
        assert!(baseline.objection("a::c", Pass::Normal, 100).unwrap().contains("not in the baseline"));
        let graphs = Baseline::parse("a::b graphs 3").unwrap();
        assert_eq!(graphs.objection("a::b", Pass::Graphs, 3), None);
        for other in [2, 4] {
            let objection = graphs.objection("a::b", Pass::Graphs, other).unwrap();
            assert_eq!(objection, format!("{other} execution graphs where the baseline has 3"));
        }
        assert_eq!(baseline.models().collect::<Vec<_>>(), ["a::b"]);
    }

    /// Goal: documents name models that exist, so that a rename changes the mentions too.
    #[test]
    fn documents_name_models_that_exist() {
        let baseline = Baseline::committed();
        let protocols: std::collections::BTreeSet<&str> =
            baseline.models().filter_map(|model| model.split("::").next()).collect();
        let documents = ["architecture.md", "ordering.md"];
        let (mut seen, mut wrong) = (0, Vec::new());
        for name in documents {
            let text = std::fs::read_to_string(workspace().join("src/docs").join(name)).expect("a document");
            for quoted in text.split('`').skip(1).step_by(2) {
                let is_model = quoted.split_once("::").is_some_and(|(protocol, _)| protocols.contains(protocol));
                if is_model {
                    seen += 1;
                    if !baseline.models().any(|model| model == quoted) {
                        wrong.push(format!("{name}: {quoted}"));
                    }
                }
            }
        }
        assert!(seen > 30, "only {seen} mentions found");
        assert!(wrong.is_empty(), "no such models: {wrong:?}");
    }

    #[test]
    fn a_broken_line_is_named() {
        assert!(Baseline::parse("a normal\n").unwrap_err().contains("line 1"));
        assert!(Baseline::parse("\na normal x\n").unwrap_err().contains("line 2"));
        assert!(Baseline::parse("a odd 1\n").unwrap_err().contains("line 1: `odd` is no pass"));
        let twice = Baseline::parse("a normal 1\na read-as-rmw 1\na normal 1\n").unwrap_err();
        assert!(twice.contains("line 3") && twice.contains("twice"), "{twice}");
    }
}
