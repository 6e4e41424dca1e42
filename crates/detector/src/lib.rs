//! Decides whether a device's temperature readings are normal.
//!
//! A [`Reading`] enters and a [`Fact`] leaves: what was read, what the device was expected to read, how far from its
//! own habits that is, and what it does to the device's alert.
//! The model is run by the caller, between [`Detector::observe`] and [`Detector::decide`], so that one call of the
//! model serves a whole batch of devices.
//!
//! This crate refuses to know clocks, files, networks, serialization and threads: the same readings in the same order
//! give the same facts, bit for bit, on every machine.
//! No function here calls the platform's mathematics library for anything that IEEE 754 does not define exactly.

mod calibrate;
mod channel;
mod channels;
mod codec;
mod device;
mod episode;
mod limit;
mod normalize;
mod peaks;
mod reading;
mod rules;
mod score;
mod season;
mod signal;

pub use calibrate::Calibration;
pub use channel::{Channel, Kind};
pub use channels::Finding;
pub use codec::StateError;
pub use device::{Detector, Device, Fact, Fate, Observation, Policy, Prior, RULES_VERSION, newest_error};
pub use episode::{Alert, Episode, Moment, Severity, Step};
pub use limit::Limit;
pub use normalize::Normalizer;
pub use reading::{InvalidReading, Reading};
pub use score::{Verdict, reconstruction_error, round_significant};
pub use signal::{Scale, Signal, WINDOW_LENGTH};
