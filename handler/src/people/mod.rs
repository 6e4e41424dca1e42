//! What people decided about alerts: who took note of which, and whom nobody shall be notified of.
//!
//! Enters: documents that people's acts left. Leaves: for an alert, the acknowledgement that counts; for a device and a
//! time, the mute that covers it. It refuses to know how an alert stands: an acknowledgement speaks of one alert and so
//! ends with it.

mod acknowledgements;
mod mutes;

pub use acknowledgements::{Acknowledgements, by_bucket};
pub use mutes::{Ended, Mutes};
