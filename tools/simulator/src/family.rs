//! The families of devices and how their parameters are drawn.
//!
//! Draws enter, the parts of one device leave; nothing here knows of time.

use crate::device::Parts;
use crate::random::Draws;
use crate::signal::{DAY_S, Daily, Defrost, HOUR_S, Plant, Plateau, Target, Wander};
use core::fmt;
use core::str::FromStr;

/// A kind of device; members differ in level, swing, cycle, noise and sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// A lived-in room: daily cycle, sometimes an air conditioner's.
    Room,
    /// A refrigerator near 5 degrees: compressor cycle on a faint daily one.
    Fridge,
    /// A freezer near -18 degrees: compressor cycle, half of them with defrosting.
    Freezer,
    /// An office: heated on weekdays, set back at night and on weekends.
    Office,
    /// Outdoors: daily cycle of changing size on drifting weather.
    Outdoor,
    /// A laboratory that holds its temperature.
    Lab,
    /// A server room: short cooling cycle, little else.
    Server,
    /// An engine or machine: plateaus of load, approached slowly.
    Machine,
    /// The plain device of the original demonstration: 25 degrees and a little noise.
    Classic,
}

impl Family {
    /// All families that imitate something real, in the order in which a mixed fleet cycles through them.
    pub const REAL: [Self; 8] = [
        Self::Room,
        Self::Fridge,
        Self::Freezer,
        Self::Office,
        Self::Outdoor,
        Self::Lab,
        Self::Server,
        Self::Machine,
    ];

    /// All families.
    pub const ALL: [Self; 9] = [
        Self::Room,
        Self::Fridge,
        Self::Freezer,
        Self::Office,
        Self::Outdoor,
        Self::Lab,
        Self::Server,
        Self::Machine,
        Self::Classic,
    ];

    /// Name in lower case, as in device ids and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Fridge => "fridge",
            Self::Freezer => "freezer",
            Self::Office => "office",
            Self::Outdoor => "outdoor",
            Self::Lab => "lab",
            Self::Server => "server",
            Self::Machine => "machine",
            Self::Classic => "classic",
        }
    }

    /// How often such a device usually sends, in milliseconds.
    #[must_use]
    pub fn usual_interval_ms(self) -> i64 {
        let minutes = match self {
            Self::Server | Self::Machine | Self::Classic => 1,
            Self::Fridge | Self::Freezer => 2,
            Self::Room | Self::Office | Self::Outdoor | Self::Lab => 5,
        };
        minutes * crate::MINUTE_MS
    }

    pub(crate) fn draw_parts(self, draws: &mut Draws) -> Parts {
        match self {
            Self::Room => room(draws),
            Self::Fridge => fridge(draws),
            Self::Freezer => freezer(draws),
            Self::Office => office(draws),
            Self::Outdoor => outdoor(draws),
            Self::Lab => lab(draws),
            Self::Server => server(draws),
            Self::Machine => machine(draws),
            Self::Classic => classic(),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Family {
    type Err = UnknownFamily;

    fn from_str(name: &str) -> Result<Self, UnknownFamily> {
        Self::ALL
            .into_iter()
            .find(|family| family.name() == name)
            .ok_or_else(|| UnknownFamily(name.to_owned()))
    }
}

/// A name that is no family's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown family `{0}`: expected room, fridge, freezer, office, outdoor, lab, server, machine or classic"
)]
pub struct UnknownFamily(pub String);

/// Resolutions of common sensors, as often as they are met; 0 stands for a fine one.
const QUANTA: [f64; 10] = [0.0, 0.0, 0.0, 0.0625, 0.0625, 0.0625, 0.1, 0.1, 0.1, 0.5];
/// The same for devices that move too little for half a degree.
const FINE_QUANTA: [f64; 6] = [0.0, 0.0, 0.01, 0.0625, 0.0625, 0.1];

fn bare(mean: f64, noise_celsius: f64, quantum: f64) -> Parts {
    Parts {
        mean,
        daily: None,
        plant: None,
        defrost: None,
        plateau: None,
        wanders: Vec::new(),
        noise_celsius,
        quantum,
    }
}

/// Wander in proportion to the device's own swing, over days.
fn slow_wander(swing: f64, draws: &mut Draws) -> Wander {
    let spread = swing * draws.between(0.1, 0.6) + 0.05;
    let tau_s = draws.between(2.0, 10.0) * DAY_S;
    Wander::new(spread, tau_s, draws)
}

fn plant(amplitude: (f64, f64), minutes: (f64, f64), draws: &mut Draws) -> Plant {
    let amplitude = draws.between(amplitude.0, amplitude.1);
    let period_s = 60.0 * draws.between(minutes.0, minutes.1);
    Plant::new(amplitude, period_s, draws)
}

fn room(draws: &mut Draws) -> Parts {
    let mut parts = bare(21.0 + 1.5 * draws.normal(), draws.between(0.02, 0.15), draws.pick(&QUANTA, 0.0));
    let swing = draws.between(0.5, 2.5);
    parts.daily = Some(Daily::new(swing, 0.25, draws));
    if draws.chance(0.6) {
        parts.plant = Some(plant((0.05, 0.4), (20.0, 45.0), draws));
    }
    parts.wanders = vec![slow_wander(swing, draws)];
    parts
}

fn fridge(draws: &mut Draws) -> Parts {
    let mut parts = bare(5.0 + draws.normal(), draws.between(0.02, 0.15), draws.pick(&FINE_QUANTA, 0.0));
    let swing = draws.between(0.1, 0.5);
    parts.daily = Some(Daily::new(swing, 0.1, draws));
    parts.plant = Some(plant((0.4, 1.2), (20.0, 60.0), draws));
    parts.wanders = vec![slow_wander(swing, draws)];
    parts
}

fn freezer(draws: &mut Draws) -> Parts {
    let mut parts = bare(-18.0 + 1.5 * draws.normal(), draws.between(0.02, 0.15), draws.pick(&QUANTA, 0.0));
    let swing = draws.between(0.1, 0.6);
    parts.daily = Some(Daily::new(swing, 0.1, draws));
    parts.plant = Some(plant((0.5, 2.0), (25.0, 90.0), draws));
    if draws.chance(0.5) {
        parts.defrost = Some(Defrost::new(draws));
    }
    parts.wanders = vec![slow_wander(swing, draws)];
    parts
}

fn office(draws: &mut Draws) -> Parts {
    let mut parts = bare(17.5 + draws.normal(), draws.between(0.02, 0.12), draws.pick(&FINE_QUANTA, 0.0));
    let from_hour = draws.between(5.0, 9.0);
    let target = Target::Weekdays {
        raised: draws.between(2.5, 5.0),
        from_hour,
        to_hour: from_hour + draws.between(9.0, 12.0),
    };
    parts.plateau = Some(Plateau::new(target, draws.between(0.7, 3.0) * HOUR_S));
    let swing = draws.between(0.2, 0.8);
    parts.daily = Some(Daily::new(swing, 0.2, draws));
    parts.plant = Some(plant((0.05, 0.3), (20.0, 45.0), draws));
    parts.wanders = vec![slow_wander(swing, draws), Wander::new(0.1, HOUR_S, draws)];
    parts
}

fn outdoor(draws: &mut Draws) -> Parts {
    let mut parts = bare(draws.between(4.0, 18.0), draws.between(0.02, 0.1), draws.pick(&QUANTA, 0.0));
    parts.daily = Some(Daily::new(draws.between(2.0, 8.0), 0.25, draws));
    let weather = Wander::new(draws.between(1.0, 3.5), draws.between(1.5, 5.0) * DAY_S, draws);
    let clouds = Wander::new(draws.between(0.2, 0.6), draws.between(0.5, 2.0) * HOUR_S, draws);
    parts.wanders = vec![weather, clouds];
    parts
}

fn lab(draws: &mut Draws) -> Parts {
    let mut parts = bare(draws.between(20.0, 23.0), draws.between(0.01, 0.05), draws.pick(&FINE_QUANTA, 0.0));
    parts.plant = Some(plant((0.02, 0.15), (10.0, 30.0), draws));
    parts.wanders = vec![Wander::new(draws.between(0.05, 0.15), draws.between(4.0, 12.0) * HOUR_S, draws)];
    parts
}

fn server(draws: &mut Draws) -> Parts {
    let mut parts = bare(26.0 + 1.5 * draws.normal(), draws.between(0.02, 0.15), draws.pick(&QUANTA, 0.0));
    let swing = draws.between(0.2, 1.0);
    parts.daily = Some(Daily::new(swing, 0.15, draws));
    parts.plant = Some(plant((0.1, 0.5), (10.0, 30.0), draws));
    parts.wanders = vec![slow_wander(swing, draws)];
    parts
}

fn machine(draws: &mut Draws) -> Parts {
    let mut parts = bare(draws.between(25.0, 40.0), draws.between(0.1, 0.6), draws.pick(&QUANTA, 0.0));
    let full = draws.between(25.0, 55.0);
    let levels = [0.0, full * draws.between(0.3, 0.5), full * draws.between(0.6, 0.8), full];
    let target = Target::Loads {
        levels,
        dwell_s: draws.between(3.0, 12.0) * HOUR_S,
        level: draws.pick(&levels, 0.0),
        left_s: draws.between(0.5, 6.0) * HOUR_S,
    };
    parts.plateau = Some(Plateau::new(target, draws.between(600.0, 2400.0)));
    let ambient = draws.between(0.5, 2.0);
    parts.daily = Some(Daily::new(ambient, 0.2, draws));
    parts.wanders = vec![slow_wander(ambient, draws), Wander::new(draws.between(0.2, 0.8), 1200.0, draws)];
    parts
}

fn classic() -> Parts {
    bare(25.0, 0.2, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series;

    fn week(family: Family, seed: u64) -> Vec<f64> {
        series(family, seed, 1_767_225_600_000, 300_000).take(2016).map(|sample| sample.celsius).collect()
    }

    #[test]
    fn names_are_read_back() {
        for family in Family::ALL {
            assert_eq!(family.name().parse(), Ok(family));
        }
        assert!("oven".parse::<Family>().is_err());
    }

    #[test]
    fn families_live_at_their_levels() {
        let levels = [
            (Family::Room, 14.0, 29.0),
            (Family::Fridge, 0.0, 10.0),
            (Family::Freezer, -26.0, -10.0),
            (Family::Outdoor, -12.0, 34.0),
            (Family::Lab, 19.0, 24.0),
            (Family::Machine, 18.0, 105.0),
            (Family::Classic, 24.2, 25.8),
        ];
        for (family, low, high) in levels {
            for seed in 0..20 {
                let values = week(family, seed);
                let mean = values.iter().sum::<f64>() / 2016.0;
                assert!((low..=high).contains(&mean), "{family} {seed}: mean {mean}");
            }
        }
    }

    #[test]
    fn members_of_a_family_differ() {
        for family in Family::REAL {
            assert_ne!(week(family, 1), week(family, 2), "{family}");
        }
    }

    #[test]
    fn the_classic_device_never_leaves_its_band() {
        for seed in 0..20 {
            assert!(week(Family::Classic, seed).iter().all(|celsius| (celsius - 25.0).abs() < 0.801));
        }
    }
}
