//! Puts faults into a stream of samples, one at a time and causally.
//!
//! A clean sample enters, the sample as the faulty device would send it leaves, labelled, or nothing at all.
//! It knows of the past what a few sums hold, so that it works on endless streams.

use crate::HOUR_MS;
use crate::device::round_to;
use crate::faults::{Fault, FaultKind};
use crate::random::Draws;
use crate::schedule::Schedule;
use crate::series::Sample;
use crate::signal::approach;
use std::collections::VecDeque;

/// How much a device normally moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// R: from the 1 % to the 99 % quantile, in degrees.
    pub range: f64,
    /// Standard deviation of the noise from sample to sample, in degrees.
    pub noise: f64,
    /// Resolution of the sensor in degrees, to which faulty values are rounded too; 0 for none.
    pub quantum: f64,
}

impl Scale {
    /// Estimates range and noise from a clean stretch; the resolution is left at 0.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let range = quantile(&sorted, 99) - quantile(&sorted, 1);
        let range = if range > 0.0 { range } else { 1.0 };
        let mut steps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        steps.sort_by(f64::total_cmp);
        // The median step of white noise is 0.954 of its standard deviation.
        let noise = 1.05 * quantile(&steps, 50);
        Self { range, noise: if noise > 0.0 { noise } else { 0.02 * range }, quantum: 0.0 }
    }
}

fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let index = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(index).copied().unwrap_or(0.0)
}

/// Puts `faults` into a finite series; their R is taken from its first 15 %, which should be clean.
///
/// Samples that a dropout swallows are removed.
pub fn inject(samples: &mut Vec<Sample>, faults: &[Fault], seed: u64) {
    let n = (samples.len() * 15 / 100).max(20).min(samples.len());
    let values: Vec<f64> = samples[..n].iter().map(|sample| sample.celsius).collect();
    let mut injector = Injector::new(Scale::of(&values), seed);
    faults.iter().for_each(|fault| injector.add(*fault));
    *samples = samples.iter().filter_map(|sample| injector.apply(*sample)).collect();
}

/// Applies faults to the samples of one device as they pass.
///
/// At most one fault is at work: one that begins ends the one before.
#[derive(Debug, Clone)]
pub struct Injector {
    scale: Scale,
    draws: Draws,
    pending: VecDeque<Fault>,
    schedule: Option<Schedule>,
    active: Option<Active>,
    recovery: Option<Recovery>,
    last_sent: Option<f64>,
    mean: DayMean,
    started: Vec<Fault>,
}

/// The fault at work.
#[derive(Debug, Clone)]
struct Active {
    fault: Fault,
    touched: u32,
    /// Value before the fault, then whatever the kind carries along (the smoothed signal of a plant that is off).
    held: f64,
    center: f64,
    last_ms: i64,
}

/// What is left of a leak after the door was closed.
#[derive(Debug, Clone, Copy)]
struct Recovery {
    offset: f64,
    from_ms: i64,
    tau_s: f64,
}

impl Injector {
    /// An injector without faults for a device of this scale; the seed is for noise and bursts.
    #[must_use]
    pub fn new(scale: Scale, seed: u64) -> Self {
        Self {
            scale,
            draws: Draws::new(seed, 3),
            pending: VecDeque::new(),
            schedule: None,
            active: None,
            recovery: None,
            last_sent: None,
            mean: DayMean::default(),
            started: Vec::new(),
        }
    }

    /// Adds a fault; one whose start has passed begins with the next sample.
    pub fn add(&mut self, fault: Fault) {
        let place = self.pending.partition_point(|other| other.start_ms <= fault.start_ms);
        self.pending.insert(place, fault);
    }

    /// Takes faults from a schedule as their time comes.
    pub fn follow(&mut self, schedule: Schedule) {
        self.schedule = Some(schedule);
    }

    /// Faults that began since the last call, each with the time of the first sample it touched.
    pub fn take_started(&mut self) -> Vec<Fault> {
        core::mem::take(&mut self.started)
    }

    /// The sample as the device sends it; `None` when it does not send.
    pub fn apply(&mut self, clean: Sample) -> Option<Sample> {
        self.begin_due(clean);
        let over = self.active.as_ref().is_some_and(|active| active.is_over(clean.timestamp_ms));
        if over {
            self.recovery = self.active.take().and_then(|active| active.recovery(&self.scale));
        }
        let Some(active) = &mut self.active else {
            self.mean.add(clean);
            let celsius = clean.celsius + self.recovery.map_or(0.0, |left| left.at(clean.timestamp_ms));
            let celsius = round_to(celsius, self.scale.quantum);
            self.last_sent = Some(celsius);
            return Some(Sample { celsius, ..clean });
        };
        active.touched = active.touched.saturating_add(1);
        let celsius = active.shape(clean, &self.scale, &mut self.draws)?;
        let celsius = round_to(celsius, self.scale.quantum);
        self.last_sent = Some(celsius);
        Some(Sample { celsius, fault: Some(active.fault.kind), ..clean })
    }

    fn begin_due(&mut self, clean: Sample) {
        let now_ms = clean.timestamp_ms;
        if let Some(schedule) = &mut self.schedule {
            self.pending.extend(schedule.due(now_ms));
        }
        while self.pending.front().is_some_and(|fault| fault.start_ms <= now_ms) {
            let Some(fault) = self.pending.pop_front() else { break };
            let fault = Fault { start_ms: now_ms, ..fault };
            let held = self.last_sent.unwrap_or(clean.celsius);
            let center = self.mean.get().unwrap_or(held);
            self.started.push(fault);
            self.recovery = None;
            self.active = Some(Active { fault, touched: 0, held, center, last_ms: now_ms });
        }
    }
}

impl Active {
    fn is_over(&self, now_ms: i64) -> bool {
        now_ms >= self.fault.end_ms() && self.touched >= self.fault.kind.least_readings()
    }

    fn span_s(&self) -> f64 {
        (self.fault.duration_ms as f64 / 1000.0).max(1.0)
    }

    fn shape(&mut self, clean: Sample, scale: &Scale, draws: &mut Draws) -> Option<f64> {
        let value = clean.celsius;
        let m = self.fault.magnitude;
        let age_s = (clean.timestamp_ms - self.fault.start_ms) as f64 / 1000.0;
        let celsius = match self.fault.kind {
            FaultKind::Spike | FaultKind::Shift => value + m * scale.range,
            FaultKind::Burst => {
                let hit = draws.chance(0.5) || self.touched == 1;
                let sign = draws.sign();
                if hit { value + sign * m * scale.range } else { value }
            }
            FaultKind::Drift => value + m * scale.range * (age_s / (0.8 * self.span_s())).min(1.0),
            FaultKind::Stuck => self.held,
            FaultKind::Noise => value + m * scale.noise * draws.normal(),
            FaultKind::Gain => self.center + (value - self.center) * m,
            FaultKind::Leak => value + self.leaked(age_s, scale),
            FaultKind::PlantOff => {
                self.smooth(clean);
                self.held + m * scale.range * approach(age_s, self.span_s() / 2.0)
            }
            FaultKind::Range => return Some(m),
            FaultKind::Dropout => return None,
        };
        self.last_ms = clean.timestamp_ms;
        Some(celsius)
    }

    fn leaked(&self, age_s: f64, scale: &Scale) -> f64 {
        self.fault.magnitude * scale.range * approach(age_s, self.span_s() / 3.0)
    }

    /// Carries the signal on without its cycle: much slower than a plant, faster than a day.
    fn smooth(&mut self, clean: Sample) {
        let elapsed_s = (clean.timestamp_ms - self.last_ms).max(0) as f64 / 1000.0;
        self.held += (clean.celsius - self.held) * approach(elapsed_s, 7200.0);
    }

    fn recovery(&self, scale: &Scale) -> Option<Recovery> {
        let tau_s = self.span_s() / 3.0;
        let offset = self.leaked(self.span_s(), scale);
        (self.fault.kind == FaultKind::Leak).then_some(Recovery {
            offset,
            from_ms: self.fault.end_ms(),
            tau_s,
        })
    }
}

impl Recovery {
    fn at(&self, now_ms: i64) -> f64 {
        let since_s = (now_ms - self.from_ms).max(0) as f64 / 1000.0;
        // Beyond five time constants nothing is left that a sensor would show.
        if since_s > 5.0 * self.tau_s { 0.0 } else { self.offset * libm::exp(-since_s / self.tau_s) }
    }
}

/// Mean of the last 24 hours, from one sum an hour.
#[derive(Debug, Clone, Default)]
struct DayMean {
    hour: i64,
    sum: f64,
    n: u32,
    hours: VecDeque<f64>,
}

impl DayMean {
    fn add(&mut self, sample: Sample) {
        let hour = sample.timestamp_ms.div_euclid(HOUR_MS);
        if hour != self.hour && self.n > 0 {
            self.hours.push_back(self.sum / f64::from(self.n));
            if self.hours.len() > 24 {
                self.hours.pop_front();
            }
            self.sum = 0.0;
            self.n = 0;
        }
        self.hour = hour;
        self.sum += sample.celsius;
        self.n = self.n.saturating_add(1);
    }

    fn get(&self) -> Option<f64> {
        if self.hours.is_empty() {
            return (self.n > 0).then(|| self.sum / f64::from(self.n));
        }
        Some(self.hours.iter().sum::<f64>() / self.hours.len() as f64)
    }
}

#[cfg(test)]
#[path = "injector_tests.rs"]
mod tests;
