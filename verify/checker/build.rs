//! Tells the suite which sources and which checker it was built from, since certificates and replay tokens are valid
//! for those alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// FNV-1a, 64 bits: names the sources, and need not resist forgery.
struct Fingerprint(u64);

impl Fingerprint {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Every Rust source below `directory`, in order.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The version of a package in the lock file.
fn locked(lock: &str, package: &str) -> String {
    let entry =
        lock.split("[[package]]").find(|entry| entry.lines().any(|line| line == format!("name = \"{package}\"")));
    let version = entry.and_then(|entry| entry.lines().find_map(|line| line.strip_prefix("version = ")));
    version.map_or("unknown".to_owned(), |version| version.trim_matches('"').to_owned())
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

fn main() {
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = package.join("../..");
    // What decides the executions of a model: the heap, the models, the objects that `models/src/script.rs` uses, and
    // how the models are run and explored.
    let directories =
        ["src", "verify/models/src", "verify/checker/src/model", "verify/objects/src", "verify/explorer/src"]
            .map(|path| root.join(path));
    let mut paths = Vec::new();
    for directory in &directories {
        println!("cargo:rerun-if-changed={}", directory.display());
        sources(directory, &mut paths);
    }
    let mut fingerprint = Fingerprint(0xcbf2_9ce4_8422_2325);
    for path in paths {
        fingerprint.add(path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().as_bytes());
        fingerprint.add(&fs::read(&path).unwrap_or_default());
    }
    let lock_path = root.join("Cargo.lock");
    println!("cargo:rerun-if-changed={}", lock_path.display());
    let lock = fs::read_to_string(&lock_path).unwrap_or_default();
    let head = git(&root, &["rev-parse", "--git-path", "HEAD"]);
    if let Some(head) = head.map(|head| root.join(head)).filter(|head| head.exists()) {
        println!("cargo:rerun-if-changed={}", head.display());
    }
    let commit = git(&root, &["rev-parse", "--short=12", "HEAD"]).unwrap_or("unknown".to_owned());
    println!("cargo:rustc-env=HEAPLAB_FINGERPRINT={:016x}", fingerprint.0);
    println!("cargo:rustc-env=HEAPLAB_COMMIT={commit}");
    println!("cargo:rustc-env=HEAPLAB_LOOM={}", locked(&lock, "loom"));
}
