//! The binary `heaplab`: see [`heaplab_verify::cli`].

#[cfg(feature = "loom")]
#[path = "../loom/main.rs"]
mod models;

fn main() -> std::process::ExitCode {
    #[cfg(feature = "loom")]
    let models = models::all();
    #[cfg(not(feature = "loom"))]
    let models = Vec::new();
    heaplab_verify::cli::main(models)
}
