//! The binary `heaplab`: see [`heaplab_verify::cli`].

#[cfg(feature = "loom")]
#[path = "../loom/main.rs"]
mod models;

fn main() -> std::process::ExitCode {
    #[cfg(feature = "loom")]
    let suite = heaplab_verify::cli::Suite { models: models::all(), litmus: models::litmus::TABLE };
    #[cfg(not(feature = "loom"))]
    let suite = heaplab_verify::cli::Suite {};
    heaplab_verify::cli::main(&suite)
}
