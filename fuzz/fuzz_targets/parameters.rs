//! Bytes as a query: `cargo +nightly fuzz run parameters`.
//!
//! The handler's own files are compiled in, since the whole handler with its model takes long to build.

#![no_main]
#![expect(dead_code, reason = "of the handler's files only what reads queries is used")]

#[path = "../checks/parameters.rs"]
mod check;
#[path = "../../handler/src/parameters.rs"]
mod parameters;
#[path = "../../handler/src/rejects/place.rs"]
mod place;
#[path = "../../handler/src/reply.rs"]
mod reply;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
