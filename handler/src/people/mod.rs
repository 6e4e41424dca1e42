//! What people decided about alerts: who took note of which, and whom nobody shall be notified of.
//!
//! Enters: documents that people's acts left. Leaves: for an alert, the acknowledgement that counts; for a device and a
//! time, the mute that covers it. It refuses to know how an alert stands: an acknowledgement speaks of one alert and so
//! ends with it.

mod acknowledgements;
pub mod acts;
mod attention;
mod mutes;
mod orders;

pub use acknowledgements::{Acknowledgements, Statement, acknowledged_view, by_bucket, decide};
pub use attention::{AttentionReader, Decisions};
pub use mutes::{Ended, Mutes};
pub use orders::Order;
