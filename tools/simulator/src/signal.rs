//! The parts of which a device's normal behavior is made.
//!
//! Each part takes a time and draws, and gives degrees Celsius to be added up; none knows of the others.
//! Times may advance by any amount, so that a device sampled each minute can go on being sampled each five seconds.

pub(crate) mod daily;
pub(crate) mod plant;
pub(crate) mod plateau;
pub(crate) mod wander;

pub(crate) use daily::Daily;
pub(crate) use plant::{Defrost, Plant};
pub(crate) use plateau::{Plateau, Target};
pub(crate) use wander::Wander;

/// Seconds in an hour.
pub(crate) const HOUR_S: f64 = 3600.0;
/// Seconds in a day.
pub(crate) const DAY_S: f64 = 86_400.0;

/// Share of the way that an exponential approach with time constant `tau_s` covers in `seconds`.
pub(crate) fn approach(seconds: f64, tau_s: f64) -> f64 {
    1.0 - libm::exp(-seconds / tau_s)
}
