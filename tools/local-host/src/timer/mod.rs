//! Timer triggers: a schedule and a clock enter, calls of the function leave; the schedule's status is kept on disk.

mod listener;
mod schedule;

pub use listener::{TimerListener, TimerStore};
pub use schedule::{Schedule, ScheduleError};
