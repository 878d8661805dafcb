//! A model as a test runs it.

#[cfg(feature = "loom")]
use super::{process, worker};
use crate::model::{Certificate, Model};
#[cfg(feature = "loom")]
use crate::{model::baseline, record::ModelRecord};
#[cfg(feature = "loom")]
use heaplab_common::{cargo_run, exit};

/// Runs a model of a table in a process of its own, compares it with the baseline, and keeps the record for
/// `models --resume`; the certificates. `test` is the path of the test that calls this: the process is the same program,
/// with that test alone, and ends here.
///
/// # Panics
///
/// When the model is red, however its process ended: what the failing execution did has been printed and drawn. When the
/// baseline objects (MD-4), and when the record cannot be written.
#[track_caller]
#[cfg(feature = "loom")]
pub fn run(of: &Model, test: &str) -> Vec<Certificate> {
    if process::is_worker_of(of.name) {
        let is_green = worker::run(of, None, None);
        std::process::exit(i32::from(if is_green { exit::PASSED } else { exit::FAILED }));
    }
    let start = std::time::Instant::now();
    let outcome = process::run_in_test(test, of.name)
        .unwrap_or_else(|error| panic!("model {} cannot be run as a process: {error}", of.name));
    let certificates: Vec<Certificate> = outcome.certificates().cloned().collect();
    certificates.iter().for_each(Certificate::append);
    if let Some(why) = outcome.failure() {
        eprint!("{}", outcome.complaints);
        panic!(
            "model {} is red: {why}\nAbove is what the failing execution did. To run this model again: {} models --only {}",
            of.name,
            cargo_run(),
            of.name,
        );
    }
    let baseline = baseline::Baseline::committed();
    for one in &certificates {
        if let Some(objection) = baseline.objection(&one.model, &one.pass, one.executions) {
            panic!("model {}, {} pass: {objection}; {}", one.model, one.pass, baseline::BLESS);
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let sites = outcome.sites().to_vec();
    let record =
        ModelRecord { name: of.name.to_owned(), certificates: certificates.clone(), sites, failure: None, seconds };
    record.keep().unwrap_or_else(|error| panic!("the record of model {} cannot be kept: {error}", of.name));
    certificates
}

/// Runs a model of a table; without the model checker there is no certificate.
///
/// # Panics
///
/// As [`model`](crate::model::model).
#[track_caller]
#[cfg(not(feature = "loom"))]
pub fn run(of: &Model, _test: &str) -> Vec<Certificate> {
    crate::model::model(of.name, of.spec, of.body)
}

/// The table of a protocol's models: the protocol's name, then the functions that are their bodies, each with its
/// [`Spec`](crate::model::Spec). Becomes a constant `MODELS`.
#[macro_export]
macro_rules! models {
    ($protocol:literal: $($race:ident: $spec:expr),* $(,)?) => {
        /// The models of this protocol.
        pub(crate) const MODELS: &[$crate::model::Model] = &[$($crate::model::Model {
            name: concat!($protocol, "::", stringify!($race)),
            spec: $spec,
            body: $race,
        }),*];
    };
}
