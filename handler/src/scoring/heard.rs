//! When devices were heard, by the hub's clock, and how long they usually pause: by that readers tell who is silent.
//!
//! It is no part of the fold: nothing that is decided depends on it, and a process takes it over from the tables that
//! another one wrote.

/// Longest usual pauses after which a device is silent.
const PAUSES: i64 = 3;
/// Milliseconds after which a device is silent at the earliest: tables may lag by five minutes.
const LEAST_ALLOWANCE_MS: i64 = 15 * 60 * 1000;
/// Pauses seen before a device can be silent.
const LEARNING_PAUSES: u8 = 8;
/// Longest pause that one of the first pauses of a device can make usual, in milliseconds.
const LONGEST_FIRST_PAUSE_MS: i64 = 24 * 3600 * 1000;
/// Readings that come within fewer milliseconds came together.
const TOGETHER_MS: i64 = 1000;
/// Pauses over which the longest one is forgotten, if it does not come again.
const FADING_PAUSES: i64 = 128;

/// What is known of a device's pauses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// When its last reading was taken in, in epoch milliseconds; 0 when that is not known.
    arrived_ms: i64,
    /// Its longest usual pause, in milliseconds.
    pause_ms: i64,
    n_pauses: u8,
}

impl Heard {
    /// What a table says of a device: when it was heard, and how long it may be silent, in milliseconds.
    #[must_use]
    pub fn listed(arrived: Option<i64>, allowance: Option<i64>) -> Self {
        Self {
            arrived_ms: arrived.unwrap_or(0),
            pause_ms: allowance.unwrap_or(0) / PAUSES,
            n_pauses: if allowance.is_some() { LEARNING_PAUSES } else { 0 },
        }
    }

    /// Notes that the hub took in a reading, in epoch milliseconds.
    pub fn hear(&mut self, enqueued_ms: i64) {
        let passed_ms = enqueued_ms.saturating_sub(self.arrived_ms);
        if self.arrived_ms > 0 && passed_ms >= TOGETHER_MS {
            self.n_pauses = self.n_pauses.saturating_add(1);
            // An outage shall not become usual by its length.
            let at_most = match self.n_pauses {
                ..=LEARNING_PAUSES => LONGEST_FIRST_PAUSE_MS,
                _ => self.pause_ms.saturating_mul(2),
            };
            self.pause_ms = (self.pause_ms - self.pause_ms / FADING_PAUSES).max(passed_ms.min(at_most));
        }
        self.arrived_ms = self.arrived_ms.max(enqueued_ms);
    }

    /// Notes that another process has heard it, up to this time in epoch milliseconds at the latest: how long it paused
    /// is not known.
    pub fn hear_of(&mut self, enqueued_ms: i64) {
        self.arrived_ms = self.arrived_ms.max(enqueued_ms);
    }

    /// When its last reading was taken in, in epoch milliseconds.
    #[must_use]
    pub fn arrived(self) -> Option<i64> {
        (self.arrived_ms > 0).then_some(self.arrived_ms)
    }

    /// Milliseconds without a reading after which it is silent; `None` as long as its pauses are not known.
    #[must_use]
    pub fn allowance(self) -> Option<i64> {
        let allowance_ms = self.pause_ms.saturating_mul(PAUSES).max(LEAST_ALLOWANCE_MS);
        (self.n_pauses >= LEARNING_PAUSES).then_some(allowance_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn heard(minutes: impl IntoIterator<Item = i64>) -> Heard {
        let mut heard = Heard::default();
        for minute in minutes {
            heard.hear(1_767_000_000_000 + minute * MINUTE_MS);
        }
        heard
    }

    #[test]
    fn a_device_may_pause_for_three_times_as_long_as_usual() {
        assert_eq!(heard(0..8).allowance(), None);
        assert_eq!(heard(0..9).allowance(), Some(LEAST_ALLOWANCE_MS));
        let hourly = heard((0..20).map(|n| n * 60));
        assert_eq!(hourly.allowance(), Some(180 * MINUTE_MS));
    }

    #[test]
    fn readings_that_come_together_are_one_arrival() {
        let mut device = Heard::default();
        for n in 0..1000 {
            device.hear(1_767_000_000_000 + n / 100 * 60 * MINUTE_MS + n % 100);
        }
        assert_eq!(device.allowance().map(|allowance| allowance / MINUTE_MS), Some(179));
    }

    #[test]
    fn an_outage_does_not_become_usual_by_its_length() {
        let mut device = heard((0..20).map(|n| n * 10));
        device.hear(device.arrived_ms + 6000 * MINUTE_MS);
        assert!(device.allowance() <= Some(60 * MINUTE_MS), "{device:?}");
        for _ in 0..500 {
            device.hear(device.arrived_ms + 10 * MINUTE_MS);
        }
        assert_eq!(device.allowance(), Some(30 * MINUTE_MS));
    }

    #[test]
    fn a_new_process_goes_on_from_the_table() {
        let before = heard((0..20).map(|n| n * 60));
        let after = Heard::listed(before.arrived(), before.allowance());
        assert_eq!((after.arrived(), after.allowance()), (before.arrived(), before.allowance()));
        assert_eq!(Heard::listed(None, None), Heard::default());
    }
}
