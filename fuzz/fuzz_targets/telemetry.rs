//! Bytes as a device's message: `cargo +nightly fuzz run telemetry`.

#![no_main]

#[path = "../checks/telemetry.rs"]
mod telemetry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| telemetry::check(bytes));
