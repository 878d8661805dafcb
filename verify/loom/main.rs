//! Models: one file a protocol, several models each, named by their race. Under `--features loom` each is explored
//! exhaustively within its stated bound; otherwise it runs many times with real threads, as a smoke test.

mod budget;
mod canary;
mod flags;
mod forwarding;
mod frontier;
mod full_space;
mod litmus;
mod mission;
mod page_set;
mod publication;
mod refill;
mod request;
mod safepoint;
mod worlds;
