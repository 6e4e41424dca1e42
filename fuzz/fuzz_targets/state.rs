//! Bytes as a device's state: `cargo +nightly fuzz run state`.

#![no_main]

#[path = "../checks/state.rs"]
mod state;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| state::check(bytes));
