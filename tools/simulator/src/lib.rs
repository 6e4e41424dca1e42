//! Synthetic temperature series with labelled faults.
//!
//! A family, a seed and a clock reading enter; samples leave, each marked with the fault that shaped it, if any.
//! The library does no I/O, reads no clock and knows nothing of hubs, hosts or detectors: the `simulator` program
//! plays these series to a target, and the trainer fits on them.
//! All randomness comes from seeded ChaCha, and all transcendental functions are compiled in, so that a seed
//! gives the same bytes on every platform.
//!
//! ```
//! use simulator::{Family, Fault, FaultKind, inject, series};
//!
//! let mut samples: Vec<_> = series(Family::Fridge, 7, 1_767_225_600_000, 60_000).take(2880).collect();
//! let start_ms = samples[2000].timestamp_ms;
//! inject(&mut samples, &[Fault::new(FaultKind::Shift, start_ms, 1.0)], 7);
//! assert_eq!(samples[2000].fault, Some(FaultKind::Shift));
//! ```

pub mod device;
pub mod family;
pub mod faults;
pub mod fleet;
pub mod injector;
pub mod random;
pub mod schedule;
pub mod series;
mod signal;

pub use device::Device;
pub use family::Family;
pub use faults::{AlertKind, Fault, FaultKind};
pub use fleet::{Member, Profile};
pub use injector::{Injector, Scale, inject};
pub use schedule::{Schedule, ScheduleOptions};
pub use series::{Sample, Series, series};

/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;
