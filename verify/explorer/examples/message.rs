//! A message without the ordering that it needs: prints the execution that fails.
//!
//! `cargo run -p heaplab-explorer --example message`

use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use heaplab_explorer::thread;
use std::sync::Arc;

fn main() {
    let result = Builder::new().explore(|| {
        let shared = Arc::new((AtomicUsize::new(0), AtomicBool::new(false)));
        let other = Arc::clone(&shared);
        let writer = thread::spawn(move || {
            other.0.store(42, Ordering::Relaxed);
            other.1.store(true, Ordering::Relaxed);
        });
        if shared.1.load(Ordering::Acquire) {
            assert_eq!(shared.0.load(Ordering::Relaxed), 42);
        }
        writer.join().unwrap();
    });
    match result {
        Ok(stats) => println!("{stats}"),
        Err(failure) => println!("{failure}"),
    }
}
