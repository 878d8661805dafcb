//! Says in one word whether a build has scripts. The binary of a checker's build has none, as its commands are the
//! checker's; nor has a build without the feature `script`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let has = |feature: &str| std::env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    if has("SCRIPT") && !has("LOOM") && !has("SHUTTLE") {
        println!("cargo:rustc-cfg=heaplab_scripts");
    }
}
