//! Tells the heap whether it is built for AddressSanitizer: `cfg(sanitize)` itself is not to be had on a stable compiler,
//! but cargo passes it on. The sanitizer is an option of nightly compilers alone, so a stable build never has the flag.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let sanitizers = std::env::var("CARGO_CFG_SANITIZE").unwrap_or_default();
    if sanitizers.split(',').any(|sanitizer| sanitizer == "address") {
        println!("cargo:rustc-cfg=heaplab_asan");
    }
}
