//! The digest: once a day, how the fleet did.
//!
//! Enters: the time. Leaves: which digest is due, what it says and how it looks. Claiming and sending are those of all
//! notifications; a digest's number is its day, so that there is one a day whoever makes it.

mod chart;
mod completeness;
mod gather;
mod letter;
mod period;

pub use self::gather::gather;
pub use self::letter::{body, pictures, subject, text};
pub use self::period::{Period, due};
