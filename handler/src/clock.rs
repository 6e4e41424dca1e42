//! The wall clock, for what people do and for timers: read once where an invocation enters, and handed on.
//!
//! Scoring must not know it.

use jiff::Timestamp;

/// Now, in epoch milliseconds.
#[expect(clippy::disallowed_methods, reason = "what people do has no other time")]
#[must_use]
pub fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}
