//! Fleets: which devices a profile consists of.

use crate::device::Device;
use crate::family::{Family, UnknownFamily};
use crate::random::member_seed;
use crate::schedule::ScheduleOptions;
use crate::series::Series;
use core::str::FromStr;

/// What a fleet is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// All real families in turn.
    Mixed,
    /// One family only.
    Only(Family),
}

impl FromStr for Profile {
    type Err = UnknownFamily;

    fn from_str(name: &str) -> Result<Self, UnknownFamily> {
        if name == "mixed" { Ok(Self::Mixed) } else { name.parse().map(Self::Only) }
    }
}

/// One device of a fleet, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Device id: the family and the member's number in the fleet, from 1, as in `fridge-002`.
    pub device_id: String,
    /// Family.
    pub family: Family,
    /// Seed of its own.
    pub seed: u64,
}

impl Profile {
    /// The first `n` members of the fleet of `seed`; a larger fleet begins with the same devices.
    #[must_use]
    pub fn members(self, n: usize, seed: u64) -> Vec<Member> {
        (0..n).map(|index| self.member(index, seed)).collect()
    }

    fn member(self, index: usize, seed: u64) -> Member {
        let family = match self {
            Self::Mixed => Family::REAL[index % Family::REAL.len()],
            Self::Only(family) => family,
        };
        Member {
            device_id: format!("{family}-{:03}", index + 1),
            family,
            seed: member_seed(seed, index as u64),
        }
    }
}

impl Member {
    /// Its series, with faults at the given rate from `faults_from_ms` on.
    #[must_use]
    pub fn series(
        &self,
        start_ms: i64,
        interval_ms: i64,
        faults_per_day: f64,
        faults_from_ms: i64,
    ) -> Series {
        let options = if self.family == Family::Classic {
            ScheduleOptions::classic(faults_from_ms, faults_per_day)
        } else {
            ScheduleOptions::new(faults_from_ms, faults_per_day)
        };
        Series::new(Device::new(self.family, self.seed), self.seed, start_ms, interval_ms)
            .with_schedule(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DAY_MS;

    const START: i64 = 1_767_225_600_000;

    #[test]
    fn a_larger_fleet_begins_with_the_same_devices() {
        let small = Profile::Mixed.members(5, 42);
        let large = Profile::Mixed.members(500, 42);
        assert_eq!(small, large[..5]);
        assert_eq!(small[1].device_id, "fridge-002");
        assert_eq!(large[499].device_id, "office-500");
    }

    #[test]
    fn profiles_are_read_from_their_names() {
        assert_eq!("mixed".parse(), Ok(Profile::Mixed));
        assert_eq!("classic".parse(), Ok(Profile::Only(Family::Classic)));
        assert!("toy".parse::<Profile>().is_err());
    }

    #[test]
    fn the_classic_fleet_is_at_25_degrees_or_at_35_to_45() {
        for member in Profile::Only(Family::Classic).members(5, 1) {
            let samples =
                member.series(START, 60_000, 100.0, START).take_while(|s| s.timestamp_ms < START + DAY_MS);
            let (faulty, normal): (Vec<_>, Vec<_>) = samples.partition(|sample| sample.fault.is_some());
            assert!(faulty.len() > 20 && normal.len() > 1200, "{} of {}", faulty.len(), normal.len());
            assert!(faulty.iter().all(|sample| (35.0..=45.0).contains(&sample.celsius)));
            assert!(normal.iter().all(|sample| (sample.celsius - 25.0).abs() < 0.801));
        }
    }
}
