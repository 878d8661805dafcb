//! Certificates: what a completed pass may claim, in a line for people and as JSON for tools.

use super::{Fault, Pass, Spec};
use crate::as_text;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Write as _;
use std::time::Duration;

/// What the checker takes on trust in every pass.
pub const TRUSTED: &[&str] =
    &["the model checker itself", "the count of Arc", "the mapping of heap words to one modelled atomic each"];

/// What a pass cannot see.
#[must_use]
pub fn blind_spots(pass: Pass) -> &'static [&'static str] {
    match pass {
        Pass::Graphs => &[
            "load buffering of relaxed operations",
            "spurious failure of compare_exchange_weak, unless the model has that fault",
            "spurious wake-ups, unless the model has that fault",
        ],
        Pass::Normal => &[
            "a load that races with another thread's load-then-store of the same word",
            "load buffering of relaxed operations",
            "spurious failure of compare_exchange_weak, unless the model has that fault",
            "stale values read by a failing compare_exchange",
            "stores older than the last seven of a word",
            "spurious wake-ups, unless the model has that fault",
        ],
        Pass::ReadAsRmw => &[
            "stale values of control atomics, hence orderings",
            "spurious failure of compare_exchange_weak, unless the model has that fault",
            "spurious wake-ups, unless the model has that fault",
        ],
    }
}

/// The engine of a pass.
fn engine_of(pass: Pass) -> &'static str {
    match pass {
        Pass::Graphs => "heaplab-explorer",
        Pass::Normal | Pass::ReadAsRmw => "loom",
    }
}

/// One pass of one model that saw every execution within its bound, and saw none fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// The model.
    pub model: String,
    /// The pass.
    #[serde(with = "as_text")]
    pub pass: Pass,
    /// Why the model has the normal pass alone of loom's, if it has.
    pub normal_only_reason: Option<String>,
    /// Why the explorer leaves the model to loom, or explores it within a bound, if it does.
    #[serde(default)]
    pub graphs_reason: Option<String>,
    /// Threads, the first included.
    pub threads: usize,
    /// Preemptions within which the pass is complete. `None` stands for any number.
    pub preemption_bound: Option<usize>,
    /// Yields of a thread within which the pass is complete. `None` stands for any number.
    #[serde(default)]
    pub yields_max: Option<usize>,
    /// What was made to fail once, at every point.
    #[serde(default, with = "as_text::option")]
    pub fault: Option<Fault>,
    /// Which part of the executions the pass saw; `None` for all.
    #[serde(default)]
    pub shard: Option<String>,
    /// The engine that explored.
    #[serde(default)]
    pub engine: String,
    /// Executions seen.
    pub executions: u64,
    /// Runs that ended in a wait which another execution ends. They are no executions, and cost time.
    #[serde(default)]
    pub blocked: u64,
    /// Operations of `heaplab::sync` in the longest execution.
    pub operations_max: u64,
    /// Wall-clock time.
    pub seconds: f64,
    /// Whether every execution within the bound was seen. Always true: a pass that saw fewer has no certificate.
    pub complete: bool,
    /// What this pass cannot see.
    pub blind_spots: Vec<String>,
    /// What is taken on trust.
    pub trusted: Vec<String>,
}

impl Certificate {
    /// The certificate of a completed pass.
    #[must_use]
    pub fn new(
        model: &str,
        pass: Pass,
        spec: &Spec,
        (threads, executions, operations_max): (usize, u64, u64),
        blocked: u64,
        duration: Duration,
    ) -> Certificate {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Certificate {
            model: model.to_owned(),
            pass,
            normal_only_reason: match spec.passes {
                super::Passes::Both => None,
                super::Passes::NormalOnly { reason } => Some(reason.to_owned()),
            },
            graphs_reason: match spec.graphs {
                super::Graphs::Explored => None,
                super::Graphs::Within { reason, .. } | super::Graphs::Left { reason } => Some(reason.to_owned()),
            },
            threads,
            preemption_bound: spec.bound_of(pass).preemptions(),
            yields_max: spec.bound_of(pass).yields(),
            fault: spec.fault,
            shard: None,
            engine: engine_of(pass).to_owned(),
            executions,
            blocked,
            operations_max,
            seconds: duration.as_secs_f64(),
            complete: true,
            blind_spots: owned(blind_spots(pass)),
            trusted: owned(TRUSTED),
        }
    }

    /// The bound, in words.
    #[must_use]
    pub fn bound(&self) -> super::Bound {
        let yields = || self.yields_max.map(super::Bound::Yields);
        self.preemption_bound.map(super::Bound::Preemptions).or_else(yields).unwrap_or(super::Bound::Unbounded)
    }

    /// Prints the certificate, and [appends](Certificate::append) it to its file.
    ///
    /// # Panics
    ///
    /// As [`append`](Certificate::append).
    pub fn publish(&self) {
        println!("{self}");
        self.append();
    }

    /// Appends the certificate to `certificates.jsonl`, if the environment has `HEAPLAB_CERTIFICATES`.
    ///
    /// # Panics
    ///
    /// When the file cannot be written: a certificate that is asked for and lost would pass unnoticed.
    pub fn append(&self) {
        if std::env::var_os("HEAPLAB_CERTIFICATES").is_none() {
            return;
        }
        let path = heaplab_common::artefact::artefact_directory().join("certificates.jsonl");
        let append = || {
            std::fs::create_dir_all(path.parent().expect("the path has a directory"))?;
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
            // One write: models of several test threads append to one file.
            file.write_all(format!("{}\n", serde_json::to_string(self)?).as_bytes())
        };
        append().unwrap_or_else(|error: std::io::Error| panic!("cannot append to {}: {error}", path.display()));
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "model {}: {} threads, {} pass by {}, {}, {} executions of up to {} operations, {:.2} s, complete",
            self.model,
            self.threads,
            self.pass,
            self.engine,
            self.bound(),
            self.executions,
            self.operations_max,
            self.seconds,
        )?;
        if let Some(shard) = &self.shard {
            write!(f, ", shard {shard}")?;
        }
        if let Some(fault) = &self.fault {
            write!(f, ", with {fault} at any point")?;
        }
        if let Some(reason) = &self.normal_only_reason {
            write!(f, " (no second pass of loom: {reason})")?;
        }
        if let Some(reason) = &self.graphs_reason {
            write!(f, " (not explored without a bound: {reason})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a certificate survives its JSON, whatever the model is called.
    #[test]
    fn json_keeps_everything() {
        let spec = Spec::bounded(2, 3);
        let certificate =
            Certificate::new("a \"quoted\"\nname", Pass::Normal, &spec, (2, 7, 4), 0, Duration::from_millis(1500));
        let json = serde_json::to_string(&certificate).unwrap();
        assert!(!json.contains('\n'), "one line: {json}");
        assert_eq!(serde_json::from_str::<Certificate>(&json).unwrap(), certificate);
        assert!(json.contains(r#""pass":"normal""#) && json.contains(r#""fault":null"#), "{json}");
        assert!(json.contains(r#""preemption_bound":3"#) && json.contains(r#""complete":true"#), "{json}");
    }
}
