//! Models: one file a protocol, several models each, named by their race. Under `--features loom` each is explored
//! exhaustively within its stated bound; otherwise it runs many times with real threads, as a smoke test.

mod canary;
mod litmus;
mod page_set;
mod safepoint;
mod worlds;
