//! The binary `heaplab`: see [`heaplab_verify::cli`].

#[cfg(feature = "loom")]
#[path = "../loom/main.rs"]
mod models;

fn main() -> std::process::ExitCode {
    #[cfg(feature = "loom")]
    let tables = heaplab_verify::cli::Tables { models: models::all(), litmus: models::litmus::TABLE };
    #[cfg(not(feature = "loom"))]
    let tables = heaplab_verify::cli::Tables {};
    heaplab_verify::cli::main(&tables)
}
