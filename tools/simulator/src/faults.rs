//! The eleven kinds of faults, what each means, and the alert it should lead to.
//!
//! Magnitudes are multiples of R, the range in which the device itself normally moves, unless the table says
//! otherwise; a fault's shape stretches with its duration.

use crate::{HOUR_MS, MINUTE_MS};
use core::fmt;
use core::str::FromStr;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FaultKind {
    /// One reading off by the magnitude.
    Spike,
    /// Half of the readings of a short stretch off by the magnitude, either way.
    Burst,
    /// All readings off by the magnitude.
    Shift,
    /// An offset that grows to the magnitude over four fifths of the time, then stays.
    Drift,
    /// The last value, repeated.
    Stuck,
    /// Additional noise; magnitude in multiples of the device's own.
    Noise,
    /// The swing around the mean of the day before, times the magnitude (0 is flat).
    Gain,
    /// An open door: warms towards the magnitude, and cools down again afterwards.
    Leak,
    /// Cooling lost: the cycle stops and the temperature rises towards the magnitude.
    PlantOff,
    /// A sensor's error code; magnitude in degrees Celsius.
    Range,
    /// No readings at all.
    Dropout,
}

/// Kinds of alerts, as the handler names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlertKind {
    /// Beyond a limit that a person set; no fault here leads to it by itself.
    Limit,
    /// Outside of what a sensor can measure, or one of its error codes.
    Range,
    /// The same value for too long.
    Stuck,
    /// No readings.
    Silence,
    /// One or few readings that do not belong.
    Spike,
    /// A new level.
    Shift,
    /// A slow departure.
    Drift,
    /// Unsteadier than usual.
    Noise,
    /// Anything else unusual.
    Other,
}

/// One fault of one device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// How much, with its sign; see [`FaultKind`].
    pub magnitude: f64,
    /// The first reading at or after this time is the first one touched; epoch milliseconds.
    pub start_ms: i64,
    /// Readings before `start_ms + duration_ms` are touched; a fault touches at least [`FaultKind::least_readings`].
    pub duration_ms: i64,
}

impl Fault {
    /// A fault of the kind's usual duration.
    #[must_use]
    pub fn new(kind: FaultKind, start_ms: i64, magnitude: f64) -> Self {
        Self { kind, magnitude, start_ms, duration_ms: kind.usual_duration_ms() }
    }

    /// The same with another duration in milliseconds; ramps stretch with it.
    #[must_use]
    pub fn lasting(self, duration_ms: i64) -> Self {
        Self { duration_ms: duration_ms.max(0), ..self }
    }

    /// End of the fault (excluded), epoch milliseconds.
    #[must_use]
    pub fn end_ms(&self) -> i64 {
        self.start_ms.saturating_add(self.duration_ms)
    }
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Spike,
        Self::Burst,
        Self::Shift,
        Self::Drift,
        Self::Stuck,
        Self::Noise,
        Self::Gain,
        Self::Leak,
        Self::PlantOff,
        Self::Range,
        Self::Dropout,
    ];

    /// Name in snake case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Burst => "burst",
            Self::Shift => "shift",
            Self::Drift => "drift",
            Self::Stuck => "stuck",
            Self::Noise => "noise",
            Self::Gain => "gain",
            Self::Leak => "leak",
            Self::PlantOff => "plant_off",
            Self::Range => "range",
            Self::Dropout => "dropout",
        }
    }

    /// The alert that a detector should open for it.
    #[must_use]
    pub fn alert(self) -> AlertKind {
        match self {
            Self::Spike | Self::Burst => AlertKind::Spike,
            Self::Shift | Self::Leak => AlertKind::Shift,
            Self::Drift | Self::PlantOff => AlertKind::Drift,
            Self::Stuck => AlertKind::Stuck,
            Self::Noise => AlertKind::Noise,
            Self::Gain => AlertKind::Other,
            Self::Range => AlertKind::Range,
            Self::Dropout => AlertKind::Silence,
        }
    }

    /// Magnitudes that a schedule draws from, ascending in strength; signs come on top where [`Self::signed`].
    #[must_use]
    pub fn magnitudes(self) -> &'static [f64] {
        match self {
            Self::Spike | Self::Drift => &[0.25, 0.5, 1.0, 2.0],
            Self::Burst | Self::Leak => &[0.25, 0.5, 1.0],
            Self::Shift => &[0.125, 0.25, 0.5, 1.0],
            Self::Noise => &[2.0, 4.0, 8.0],
            Self::Gain => &[0.5, 0.0, 2.0],
            Self::PlantOff => &[0.5, 1.0, 2.0],
            Self::Range => &[0.0, 85.0, -127.0],
            Self::Stuck | Self::Dropout => &[0.0],
        }
    }

    /// The magnitude of a fault that nobody should miss.
    #[must_use]
    pub fn strong_magnitude(self) -> f64 {
        self.magnitudes().last().copied().unwrap_or(0.0)
    }

    /// Whether the fault goes either way, up or down.
    #[must_use]
    pub fn signed(self) -> bool {
        matches!(self, Self::Spike | Self::Shift | Self::Drift)
    }

    /// Durations that a schedule draws from, in milliseconds.
    #[must_use]
    pub fn durations_ms(self) -> &'static [i64] {
        match self {
            Self::Spike | Self::Range => &[0],
            Self::Burst => &[30 * MINUTE_MS],
            Self::Shift | Self::Gain => &[24 * HOUR_MS],
            Self::Drift => &[60 * HOUR_MS],
            Self::Stuck | Self::Dropout => &[HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS],
            Self::Noise => &[6 * HOUR_MS],
            Self::Leak => &[3 * HOUR_MS],
            Self::PlantOff => &[12 * HOUR_MS],
        }
    }

    /// The middle one of [`Self::durations_ms`].
    #[must_use]
    pub fn usual_duration_ms(self) -> i64 {
        let durations = self.durations_ms();
        durations.get(durations.len() / 2).copied().unwrap_or(0)
    }

    /// How many readings it touches however short it is.
    #[must_use]
    pub fn least_readings(self) -> u32 {
        match self {
            Self::Range => 3,
            Self::Burst => 4,
            _ => 1,
        }
    }
}

impl AlertKind {
    /// Name in lower case, as in alert documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Range => "range",
            Self::Stuck => "stuck",
            Self::Silence => "silence",
            Self::Spike => "spike",
            Self::Shift => "shift",
            Self::Drift => "drift",
            Self::Noise => "noise",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FaultKind {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

/// A name that is no fault's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown fault `{0}`: expected spike, burst, shift, drift, stuck, noise, gain, leak, plant_off, range or dropout"
)]
pub struct UnknownFault(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for kind in FaultKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("fire".parse::<FaultKind>().is_err());
    }

    #[test]
    fn every_kind_has_magnitudes_and_durations() {
        for kind in FaultKind::ALL {
            assert!(!kind.magnitudes().is_empty() && !kind.durations_ms().is_empty(), "{kind}");
        }
        assert_eq!(FaultKind::Stuck.usual_duration_ms(), 6 * HOUR_MS);
    }

    #[test]
    fn the_readme_has_the_table_of_faults_and_alerts() {
        let readme = include_str!("../README.md");
        for kind in FaultKind::ALL {
            let has_row = readme.lines().any(|line| {
                line.starts_with(&format!("| `{kind}` |"))
                    && line.contains(&format!("| `{}` |", kind.alert()))
            });
            assert!(has_row, "README has no row of {kind} with alert {}", kind.alert());
        }
    }
}
