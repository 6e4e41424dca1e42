//! Draws which faults a device suffers, and when.

use crate::faults::{Fault, FaultKind};
use crate::random::Draws;
use crate::{DAY_MS, HOUR_MS, MINUTE_MS};

/// How often faults come, and of what kinds.
#[derive(Debug, Clone)]
pub struct ScheduleOptions {
    /// No fault begins before this time, epoch milliseconds.
    pub start_ms: i64,
    /// Mean number of faults a day, as far as durations and rests allow.
    pub faults_per_day: f64,
    /// Kinds to draw from, each as likely.
    pub kinds: Vec<FaultKind>,
    /// Least time between the end of one fault and the start of the next.
    pub rest_ms: i64,
    /// Magnitudes between these (with the sign as given), in place of each kind's own list.
    pub magnitudes: Option<(f64, f64)>,
}

impl ScheduleOptions {
    /// All kinds, six hours of rest after each.
    #[must_use]
    pub fn new(start_ms: i64, faults_per_day: f64) -> Self {
        let kinds = FaultKind::ALL.to_vec();
        Self { start_ms, faults_per_day, kinds, rest_ms: 6 * HOUR_MS, magnitudes: None }
    }

    /// What the classic device suffers: single readings of 35 to 45 degrees.
    #[must_use]
    pub fn classic(start_ms: i64, faults_per_day: f64) -> Self {
        // In multiples of the classic device's R of 10 degrees; its noise of up to 0.8 comes on top of 25.
        let magnitudes = Some((1.08, 1.92));
        let kinds = vec![FaultKind::Spike];
        Self { start_ms, faults_per_day, kinds, rest_ms: 10 * MINUTE_MS, magnitudes }
    }
}

/// An endless run of faults that do not overlap.
#[derive(Debug, Clone)]
pub struct Schedule {
    options: ScheduleOptions,
    draws: Draws,
    next: Option<Fault>,
}

impl Schedule {
    /// A schedule of its own for each seed; empty when the rate is not above 0 or there is no kind to draw.
    #[must_use]
    pub fn new(options: ScheduleOptions, seed: u64) -> Self {
        let mut schedule = Self { draws: Draws::new(seed, 4), next: None, options };
        schedule.next = schedule.draw(schedule.options.start_ms);
        schedule
    }

    /// The faults whose start has come; of those missed altogether, none.
    pub fn due(&mut self, now_ms: i64) -> Option<Fault> {
        let mut due = None;
        while self.next.is_some_and(|fault| fault.start_ms <= now_ms) {
            due = self.next;
            self.advance();
        }
        due
    }

    fn advance(&mut self) {
        let rest_ms = self.options.rest_ms.max(1);
        self.next = self.next.and_then(|fault| self.draw(fault.end_ms().saturating_add(rest_ms)));
    }

    fn draw(&mut self, from_ms: i64) -> Option<Fault> {
        let mean_ms = DAY_MS as f64 / self.options.faults_per_day;
        if !mean_ms.is_finite() || mean_ms <= 0.0 || self.options.kinds.is_empty() {
            return None;
        }
        let kind = self.draws.pick(&self.options.kinds, FaultKind::Spike);
        let wait_ms = whole_ms(self.draws.exponential(mean_ms));
        let magnitude = self.draw_magnitude(kind);
        let duration_ms = self.draws.pick(kind.durations_ms(), 0);
        Some(Fault { kind, magnitude, start_ms: from_ms.saturating_add(wait_ms), duration_ms })
    }

    fn draw_magnitude(&mut self, kind: FaultKind) -> f64 {
        if let Some((low, high)) = self.options.magnitudes {
            return self.draws.between(low, high);
        }
        let magnitude = self.draws.pick(kind.magnitudes(), 0.0);
        if kind.signed() { magnitude * self.draws.sign() } else { magnitude }
    }
}

impl Iterator for Schedule {
    type Item = Fault;

    fn next(&mut self) -> Option<Fault> {
        let fault = self.next?;
        self.advance();
        Some(fault)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "whole milliseconds of a wait; saturates, which is meant"
)]
fn whole_ms(ms: f64) -> i64 {
    ms as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_767_225_600_000;

    #[test]
    fn faults_come_in_order_and_rest_between() {
        let faults: Vec<Fault> = Schedule::new(ScheduleOptions::new(START, 1.0), 1).take(200).collect();
        assert!(faults[0].start_ms >= START);
        for pair in faults.windows(2) {
            assert!(pair[1].start_ms >= pair[0].end_ms() + 6 * HOUR_MS);
        }
        for kind in FaultKind::ALL {
            assert!(faults.iter().any(|fault| fault.kind == kind), "{kind} never drawn");
        }
    }

    #[test]
    fn a_rate_of_zero_is_no_schedule() {
        assert_eq!(Schedule::new(ScheduleOptions::new(START, 0.0), 1).next(), None);
        assert_eq!(Schedule::new(ScheduleOptions::new(START, f64::NAN), 1).next(), None);
        assert_eq!(Schedule::new(ScheduleOptions::new(START, -1.0), 1).next(), None);
    }

    #[test]
    fn the_rate_is_kept_where_faults_are_short() {
        let mut options = ScheduleOptions::classic(START, 20.0);
        options.rest_ms = 0;
        let n = Schedule::new(options, 2).take_while(|fault| fault.start_ms < START + 50 * DAY_MS).count();
        assert!((850..1150).contains(&n), "{n} faults in 50 days");
    }
}
