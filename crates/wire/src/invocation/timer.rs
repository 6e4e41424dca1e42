//! The timer trigger's request.
//!
//! Enters: the request's body. Leaves: whether the call is late, the schedule's status and the attempt. It refuses to know
//! the schedule itself, which is in function.json.

use serde::Deserialize;

use super::http::{Inputs, read_inputs};
use super::{InvocationError, Retry};
use crate::epoch_ms;

/// A call of a timer function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerRequest {
    /// Whether the call comes later than the schedule says, for instance after a stop.
    pub is_past_due: bool,
    /// Absent when the schedule is not monitored.
    pub schedule_status: Option<ScheduleStatus>,
    /// The attempt; the default when function.json has no retry policy.
    pub retry: Retry,
}

/// Where a schedule stands; epoch milliseconds in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleStatus {
    /// The last call; `None` before the first.
    pub last_ms: Option<i64>,
    /// The next call.
    pub next_ms: Option<i64>,
    /// When this status was written.
    pub last_updated_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimerInfo {
    #[serde(default)]
    is_past_due: bool,
    schedule_status: Option<RawStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawStatus {
    last: Option<String>,
    next: Option<String>,
    last_updated: Option<String>,
}

impl TimerRequest {
    /// Reads the request's body; `binding` is the trigger's name in function.json.
    ///
    /// # Errors
    ///
    /// [`InvocationError`] when the body is not an envelope with such a timer.
    pub fn parse(body: &[u8], binding: &str) -> Result<Self, InvocationError> {
        let Inputs { inputs, retry } = read_inputs(body)?;
        let input = inputs
            .get(binding)
            .ok_or_else(|| InvocationError::MissingInput { binding: binding.to_owned() })?;
        let info: TimerInfo =
            serde_json::from_str(input.get()).map_err(|error| InvocationError::Encoding {
                binding: binding.to_owned(),
                expected: "the timer's object",
                found: format!("another shape ({:?} error)", error.classify()).to_lowercase(),
                cure: "check that the function's trigger is a timerTrigger",
            })?;
        Ok(Self {
            is_past_due: info.is_past_due,
            schedule_status: info.schedule_status.as_ref().map(status_of),
            retry,
        })
    }
}

fn status_of(raw: &RawStatus) -> ScheduleStatus {
    let ms = |text: &Option<String>| text.as_deref().and_then(epoch_ms::parse);
    ScheduleStatus { last_ms: ms(&raw.last), next_ms: ms(&raw.next), last_updated_ms: ms(&raw.last_updated) }
}
