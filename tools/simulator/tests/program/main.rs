//! The program as it is used: its own process, real HTTP, a stand-in of the hub.
//!
//! `harness` starts programs, `hub` is the stand-in; the other modules are the cases, one file a concern.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod device_call;
mod event_hub;
mod fleet;
mod harness;
mod hub;
mod iot_hub;
mod recordings;
mod rejects;
