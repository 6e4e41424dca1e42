//! Bytes as an invocation: `cargo +nightly fuzz run invocation`.

#![no_main]

#[path = "../checks/invocation.rs"]
mod invocation;
#[path = "../checks/telemetry.rs"]
mod telemetry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| invocation::check(bytes));
