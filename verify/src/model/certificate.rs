//! Certificates: what a completed pass may claim, in a line for people and a line of JSON for tools.

use super::{Bound, Passes};
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// What the checker takes on trust in every pass.
pub const TRUSTED: &[&str] =
    &["the model checker itself", "the count of Arc", "the mapping of heap words to one modelled atomic each"];

/// What the named pass cannot see.
#[must_use]
pub fn blind_spots(pass: &str) -> &'static [&'static str] {
    match pass {
        "normal" => &[
            "a load that races with another thread's load-then-store of the same word",
            "load buffering of relaxed operations",
            "spurious failure of compare_exchange_weak",
            "stale values read by a failing compare_exchange",
            "stores older than the last seven of a word",
            "spurious wake-ups",
        ],
        _ => &[
            "stale values of control atomics, hence orderings",
            "spurious failure of compare_exchange_weak",
            "spurious wake-ups",
        ],
    }
}

/// One pass of one model that saw every execution within its bound, and saw none fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// The model.
    pub model: String,
    /// The pass: "normal" or "read-as-rmw".
    pub pass: String,
    /// The passes asked for; a normal-only model carries its reason.
    pub passes: Passes,
    /// Threads, the first included.
    pub threads: usize,
    /// The bound within which it is complete.
    pub bound: Bound,
    /// Executions seen.
    pub executions: u64,
    /// Operations of `heaplab::sync` in the longest execution.
    pub operations_max: u64,
    /// Wall-clock time.
    pub duration: Duration,
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "model {}: {} threads, {} pass, {}, {} executions of up to {} operations, {:.2} s, complete",
            self.model,
            self.threads,
            self.pass,
            self.bound,
            self.executions,
            self.operations_max,
            self.duration.as_secs_f64(),
        )?;
        if let Passes::NormalOnly { reason } = self.passes {
            write!(f, " (no second pass: {reason})")?;
        }
        Ok(())
    }
}

impl Certificate {
    /// The certificate as one line of JSON, without the line's end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let preemptions = self.bound.preemptions();
        let reason = match self.passes {
            Passes::Both => None,
            Passes::NormalOnly { reason } => Some(reason),
        };
        format!(
            "{{\"model\":{},\"threads\":{},\"pass\":{},\"normal_only_reason\":{},\"preemption_bound\":{},\
             \"executions\":{},\"operations_max\":{},\"seconds\":{:.3},\"complete\":true,\
             \"blind_spots\":{},\"trusted\":{}}}",
            json_string(&self.model),
            self.threads,
            json_string(&self.pass),
            reason.map_or("null".to_owned(), json_string),
            preemptions.map_or("null".to_owned(), |count| count.to_string()),
            self.executions,
            self.operations_max,
            self.duration.as_secs_f64(),
            json_strings(blind_spots(&self.pass)),
            json_strings(TRUSTED),
        )
    }

    /// Prints the certificate; appends it to the file of certificates, if the environment asks for one.
    ///
    /// # Panics
    ///
    /// When the file cannot be written: a certificate that is asked for and lost would pass unnoticed.
    pub fn publish(&self) {
        println!("{self}");
        if std::env::var_os("HEAPLAB_CERTIFICATES").is_none() {
            return;
        }
        let path = artefact_path("certificates.jsonl");
        let append = || {
            std::fs::create_dir_all(path.parent().expect("the path has a directory"))?;
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
            // One write: models of several test threads append to one file.
            file.write_all(format!("{}\n", self.to_json()).as_bytes())
        };
        append().unwrap_or_else(|error| panic!("cannot append to {}: {error}", path.display()));
    }
}

/// `target/heaplab/<name>`, in cargo's target directory if the environment names one, else the workspace's.
pub(super) fn artefact_path(name: &str) -> PathBuf {
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")),
    };
    target.join("heaplab").join(name)
}

pub(super) fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            control if control < ' ' => {
                write!(json, "\\u{:04x}", u32::from(control)).expect("a string takes all writes");
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

fn json_strings(texts: &[&str]) -> String {
    let items: Vec<String> = texts.iter().map(|text| json_string(text)).collect();
    format!("[{}]", items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a certificate's JSON is well-formed whatever the model is called.
    #[test]
    fn json_escapes_the_name() {
        let certificate = Certificate {
            model: "a \"quoted\"\nname".to_owned(),
            pass: "normal".to_owned(),
            passes: Passes::Both,
            threads: 2,
            bound: Bound::Preemptions(3),
            executions: 7,
            operations_max: 4,
            duration: Duration::from_millis(1500),
        };
        let json = certificate.to_json();
        assert!(json.starts_with(
            r#"{"model":"a \"quoted\"\u000aname","threads":2,"pass":"normal","normal_only_reason":null,"preemption_bound":3,"executions":7,"operations_max":4,"seconds":1.500,"complete":true,"blind_spots":["#
        ));
        assert!(json.ends_with("]}"));
    }
}
