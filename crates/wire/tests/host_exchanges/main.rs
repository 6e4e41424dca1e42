//! The invocation formats, held to what the real host sent and accepted.
//!
//! * `event_batches`: every recorded Event Hubs request is read right, or refused with a reason.
//! * `http_and_timer`: the same for enveloped HTTP requests and timers, and how to tell a probe.
//! * `answers`: what the recorded host refused or damaged cannot be built; what it accepted arrives as it was meant.
//! * `function_json`: every recorded function.json, and this app's own, can be read.
//! * `forms`: arbitrary texts, spellings and damages.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on shall fail")]

mod answers;
mod event_batches;
mod forms;
mod function_json;
mod http_and_timer;
mod recordings;
