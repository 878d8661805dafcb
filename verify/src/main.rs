//! The binary `heaplab`: see [`heaplab_verify::cli`].

fn main() -> std::process::ExitCode {
    heaplab_verify::cli::main()
}
