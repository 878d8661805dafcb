//! A model as a test runs it with the model checker: in a process of its own.

use super::{process, worker};
use crate::model::{Certificate, Model, baseline};
use crate::record::ModelRecord;
use heaplab_common::cargo_run;
use heaplab_common::exit::Exit;

/// Runs a model of a table in a process of its own, compares it with the baseline, and keeps the record for `models
/// --resume`. Returns the certificates. `test` is the path of the calling test: the process runs this same program
/// with that test alone, and ends inside this function.
///
/// # Panics
///
/// When the process cannot be run. When the model is red, however its process ended: what the failing execution did
/// has been printed and drawn. When the baseline cannot be read or objects (MD-4). When the certificates or the
/// record cannot be written.
#[track_caller]
pub fn run(of: &Model, test: &str) -> Vec<Certificate> {
    if process::is_worker_of(of.name) {
        Exit::passed_if(worker::run(of, &worker::WorkOptions::default())).end_process();
    }
    let start = std::time::Instant::now();
    let outcome = process::run_in_test(test, of.name)
        .unwrap_or_else(|error| panic!("model {} cannot be run as a process: {error}", of.name));
    let certificates: Vec<Certificate> = outcome.certificates().cloned().collect();
    certificates.iter().for_each(Certificate::append);
    if let Some(why) = outcome.failure() {
        eprint!("{}", outcome.complaints);
        panic!(
            "model {} is red: {why}\nAbove is what the failing execution did. To run this model again: \
             {} models --only {}",
            of.name,
            cargo_run(),
            of.name,
        );
    }
    let baseline = baseline::Baseline::committed();
    for one in &certificates {
        if let Some(objection) = baseline.objection(&one.model, one.pass, one.executions) {
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
