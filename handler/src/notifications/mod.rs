//! Tells people what happens to alerts, exactly as often as promised.
//!
//! Enters: steps of alerts as they are stored, and the time. Leaves: notifications by mail and by webhook, and documents
//! that say so. It refuses to know how an alert comes about.
//!
//! A notification is *claimed* by creating its document where there is none, *sent*, and *marked* in its document. A
//! process that ends in between leaves its claim behind, which another takes up: at most one repeat, and never a loss.
//! [`Notifier`] carries that out, [`claim`] decides it; [`choose`], [`ripeness`], [`grouping`], [`reminders`] and
//! [`silence`] decide what is told and when, [`wording`] and [`letter`] how.

mod chain;
pub mod choose;
pub mod claim;
pub mod digest;
pub mod grouping;
pub mod letter;
mod notifier;
pub mod reminders;
pub mod ripeness;
mod send;
pub mod silence;
pub mod told;
pub mod webhook;
pub mod wording;

pub use self::notifier::{Manner, Notifier};
pub use self::send::Channel;
pub use self::silence::Clocks;
pub use self::webhook::Webhook;
pub use self::wording::Look;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
