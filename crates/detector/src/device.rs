//! A device's state, and the fold over it: `observe` and `decide` live, `apply` when stored facts are read back.
//!
//! The two halves of the state never read each other: [`Signal`] and [`Channels`] know temperatures alone,
//! [`Calibration`] errors alone.
//! So a batch may first observe all its readings, then run the model once for all windows, then decide in order, and
//! ends in the same state as one reading after the other.

use crate::calibrate::Calibration;
use crate::channel::Channel;
use crate::channels::{Channels, Finding, Mean};
use crate::codec::{Source, StateError, put_f64, put_signed, put_unsigned};
use crate::episode::{Alert, Episode, Moment, Step};
use crate::limit::Limit;
use crate::reading::Reading;
use crate::score::{Verdict, reconstruction_error, round_significant};
use crate::signal::{Scale, Signal};

/// Mean of the original rule's fixed normalization, in degrees Celsius.
const FIXED_MEAN: f64 = 25.0;
/// Spread of the original rule's fixed normalization, in degrees Celsius.
const FIXED_SPREAD: f64 = 10.0;

/// Times of late readings that are remembered, so that one sent again is known: they are not in the window.
const LATE_TIMES: usize = 32;
/// Changes whenever the same readings may get other scores.
pub const RULES_VERSION: u32 = 2;
/// The least score of a reading that breaks a limit: critical, and no matter of degree.
const LIMIT_SCORE: f64 = 3.0;
/// Format of a device's state that this code writes.
const STATE_VERSION: u8 = 3;
/// Newest values of a window whose squared error counts: older ones were judged when they were new.
const NEWEST_VALUES: usize = 4;

/// How an error becomes a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Policy {
    /// Rules, and channels that each device's own habit calibrates: the autoencoder's error is one of them.
    Calibrated,
    /// The original rule: temperatures normalized with mean 25 and spread 10, and the newest reading's squared
    /// error divided by this threshold.
    Fixed {
        /// Squared error above which a reading is an anomaly, in normalized units.
        threshold: f64,
    },
}

/// What is assumed of a device before it is known: figures of the model card.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// Spread in degrees Celsius; 0 for series that are no temperatures: they have no range and no codes either.
    pub spread: f64,
    /// 99 % quantile of reconstruction errors over the training fleet, in normalized units.
    pub error_quantile: f64,
}

/// What became of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It entered the window; scores follow as soon as the window is full.
    Fresh,
    /// It is older than the device's newest reading: stored, and not scored.
    Late,
    /// Its time is that of a reading held already: skipped.
    Duplicate,
}

/// What is between observing a reading and deciding on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The reading.
    pub reading: Reading,
    /// What became of it.
    pub fate: Fate,
    /// Mean and spread of the window that was written for the model; `None` when there is nothing to reconstruct.
    pub window_scale: Option<Scale>,
    /// What the channels make of it that need no model; `None` for readings that are not judged.
    pub finding: Option<Finding>,
    /// Whether it is one of the device's temperatures: neither late nor a code of a broken sensor.
    pub is_held: bool,
    /// Whether it is outside its device's limit, as far as [`Device::hold_to`] was asked.
    pub is_outside: bool,
    /// Whether readings have been outside for longer than the limit tolerates.
    pub breaks_limit: bool,
}

/// What is stored of a reading, and all that enters a device's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fact {
    /// The reading, exactly as the device sent it.
    pub reading: Reading,
    /// What became of it.
    pub fate: Fate,
    /// What the model expected, in degrees Celsius, rounded to a thousandth.
    pub expected: Option<f64>,
    /// Raw reconstruction error in normalized units, rounded to four digits.
    pub error: Option<f64>,
    /// Dimensionless score, rounded to four digits; above 1 is an anomaly.
    pub score: Option<f64>,
    /// What an anomaly was noticed by.
    pub channel: Option<Channel>,
    /// Whether it is outside the limit that was set for the device.
    pub is_outside: bool,
    /// Whether the device's own calibration had not taken over yet.
    pub learning: bool,
    /// When the device became silent before this reading, in epoch milliseconds.
    pub silent_ms: Option<i64>,
    /// What it does to the device's alert.
    pub step: Option<Step>,
}

impl Fact {
    /// The verdict; a reading without a score is normal.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.score.map_or(Verdict::Normal, Verdict::of)
    }
}

/// Everything remembered of a device.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Device {
    signal: Signal,
    channels: Channels,
    calibration: Calibration,
    episode: Episode,
    newest: Option<Fact>,
    /// Time of the newest reading observed, which runs ahead of `newest` within a batch.
    observed_ms: Option<i64>,
    /// When the newest readings began to be outside the limit, if they are.
    outside_ms: Option<i64>,
    /// Times of the last readings that are late or no temperatures, oldest first: they are not in the window.
    late_ms: Vec<i64>,
}

/// Bits that say which numbers follow in a device's state.
mod present {
    pub(super) const NEWEST: u8 = 1;
    pub(super) const EXPECTED: u8 = 2;
    pub(super) const ERROR: u8 = 4;
    pub(super) const SCORE: u8 = 8;
    pub(super) const LEARNING: u8 = 16;
    pub(super) const OUTSIDE: u8 = 32;
}

impl Device {
    /// Tells whether nothing was ever observed of it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.observed_ms.is_none()
    }

    /// Appends the state's bytes to `out`.
    ///
    /// Every reading observed must have been decided.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let newest = self.newest.as_ref();
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        out.push(STATE_VERSION);
        out.push(
            bit(newest.is_some(), present::NEWEST)
                | bit(newest.is_some_and(|fact| fact.expected.is_some()), present::EXPECTED)
                | bit(newest.is_some_and(|fact| fact.error.is_some()), present::ERROR)
                | bit(newest.is_some_and(|fact| fact.score.is_some()), present::SCORE)
                | bit(newest.is_some_and(|fact| fact.learning), present::LEARNING)
                | bit(self.outside_ms.is_some(), present::OUTSIDE),
        );
        if let Some(fact) = newest {
            put_signed(out, fact.reading.timestamp_ms());
            put_f64(out, fact.reading.celsius());
            for number in [fact.expected, fact.error, fact.score].into_iter().flatten() {
                put_f64(out, number);
            }
        }
        if let Some(outside_ms) = self.outside_ms {
            put_signed(out, outside_ms);
        }
        put_unsigned(out, self.late_ms.len() as u64);
        for late_ms in &self.late_ms {
            put_signed(out, *late_ms);
        }
        self.signal.encode(out);
        self.channels.encode(out);
        self.calibration.encode(out);
        self.episode.encode(out);
    }

    /// Reads a state off the front of `bytes`; what follows it is returned.
    ///
    /// # Errors
    ///
    /// [`StateError`] when the bytes are no state of this version.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), StateError> {
        let mut source = Source::new(bytes);
        let version = source.byte()?;
        if version != STATE_VERSION {
            return Err(StateError::Version(version));
        }
        let held = source.byte()?;
        let newest = decode_newest(&mut source, held)?;
        let outside_ms = if held & present::OUTSIDE == 0 { None } else { Some(source.signed()?) };
        let n_late: usize = source.small("late readings")?;
        if n_late > LATE_TIMES {
            return Err(StateError::Impossible("late readings"));
        }
        let late_ms = (0..n_late).map(|_| source.signed()).collect::<Result<_, _>>()?;
        let device = Self {
            signal: Signal::decode(&mut source)?,
            channels: Channels::decode(&mut source)?,
            calibration: Calibration::decode(&mut source)?,
            episode: Episode::decode(&mut source)?,
            observed_ms: newest.map(|fact| fact.reading.timestamp_ms()),
            newest,
            outside_ms,
            late_ms,
        };
        Ok((device, source.rest()))
    }

    /// Holds a reading that was just observed to the limit that is set for the device, if there is one.
    pub fn hold_to(&mut self, limit: Option<Limit>, seen: &mut Observation) {
        if !seen.is_held {
            return;
        }
        seen.is_outside = limit.is_some_and(|limit| limit.is_outside(seen.reading.celsius()));
        let outside_ms = self.note_outside(seen.reading, seen.is_outside);
        let passed_ms = outside_ms.map(|since_ms| seen.reading.timestamp_ms().saturating_sub(since_ms));
        seen.breaks_limit = passed_ms.zip(limit).is_some_and(|(passed_ms, limit)| passed_ms >= limit.held_ms);
    }

    /// Returns since when readings are outside.
    fn note_outside(&mut self, reading: Reading, is_outside: bool) -> Option<i64> {
        let since_ms = self.outside_ms.unwrap_or(reading.timestamp_ms());
        self.outside_ms = is_outside.then_some(since_ms);
        self.outside_ms
    }

    /// The newest fresh reading with its scores.
    #[must_use]
    pub fn newest(&self) -> Option<&Fact> {
        self.newest.as_ref()
    }

    /// When the newest anomaly was measured, in epoch milliseconds.
    #[must_use]
    pub fn last_anomaly_ms(&self) -> Option<i64> {
        self.episode.last_anomaly_ms()
    }

    /// The alert that is open.
    #[must_use]
    pub fn open_alert(&self) -> Option<Alert> {
        self.episode.open()
    }

    /// The newest alert, open or closed.
    #[must_use]
    pub fn newest_alert(&self) -> Option<Alert> {
        self.episode.newest()
    }

    /// The newest readings that its window holds, oldest first: time in epoch milliseconds and degrees Celsius.
    pub fn readings(&self) -> impl Iterator<Item = (i64, f64)> {
        self.signal.readings()
    }
}

fn decode_newest(source: &mut Source<'_>, held: u8) -> Result<Option<Fact>, StateError> {
    if held & present::NEWEST == 0 {
        return Ok(None);
    }
    let timestamp_ms = source.signed()?;
    let reading = Reading::new(timestamp_ms, source.f64()?)
        .map_err(|_| StateError::Impossible("newest temperature"))?;
    let mut number = |bit| if held & bit == 0 { Ok(None) } else { source.f64().map(Some) };
    Ok(Some(Fact {
        reading,
        fate: Fate::Fresh,
        expected: number(present::EXPECTED)?,
        error: number(present::ERROR)?,
        score: number(present::SCORE)?,
        channel: None,
        is_outside: false,
        silent_ms: None,
        step: None,
        learning: held & present::LEARNING != 0,
    }))
}

/// The rules by which all devices are judged; immutable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detector {
    /// How an error becomes a score.
    pub policy: Policy,
    /// What is assumed of unknown devices.
    pub prior: Prior,
}

/// How a reading was taken in.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Taken {
    fate: Fate,
    /// Whether it entered the window.
    is_held: bool,
    finding: Option<Finding>,
}

impl Taken {
    fn aside(fate: Fate) -> Self {
        Self { fate, is_held: false, finding: None }
    }
}

impl Detector {
    /// Takes in a reading and appends its window to `windows` when there is one for the model to reconstruct.
    pub fn observe(&self, device: &mut Device, reading: Reading, windows: &mut Vec<f32>) -> Observation {
        let Taken { fate, is_held, finding } = self.take_in(device, reading);
        let window_scale = match self.policy {
            _ if !is_held => None,
            Policy::Fixed { threshold } => {
                let scale = Scale { mean: FIXED_MEAN, spread: FIXED_SPREAD };
                // The rule is about one reading: earlier anomalies must not make it look at this one differently.
                device.signal.write_window(scale, threshold.sqrt(), windows);
                Some(scale)
            }
            Policy::Calibrated => device
                .signal
                .write_own_window(self.prior.spread, windows)
                .then(|| device.signal.scale(self.prior.spread)),
        };
        Observation { reading, fate, window_scale, finding, is_held, is_outside: false, breaks_limit: false }
    }

    /// Decides on an observed reading from its window and the model's reconstruction of it, and enters the result in
    /// the device's state.
    ///
    /// Both slices are empty when the observation has no window.
    pub fn decide(
        &self,
        device: &mut Device,
        seen: &Observation,
        window: &[f32],
        reconstruction: &[f32],
    ) -> Fact {
        let mut fact = Fact {
            reading: seen.reading,
            fate: seen.fate,
            expected: None,
            error: None,
            score: None,
            channel: None,
            is_outside: seen.is_outside,
            learning: self.policy == Policy::Calibrated
                && (device.calibration.is_learning()
                    || seen.finding.as_ref().is_some_and(Channels::is_young)),
            silent_ms: seen.finding.and_then(|finding| finding.silent_ms),
            step: None,
        };
        if let (Some(scale), Some(newest)) = (seen.window_scale, reconstruction.last()) {
            fact.expected = Some(round_thousandth(scale.denormalize(*newest)));
            fact.error = Some(round_significant(self.error(window, reconstruction)));
        }
        if let Some((channel, score)) = self.score(device, seen, fact.error) {
            let score = round_significant(score);
            fact.score = Some(score);
            fact.channel = channel.filter(|_| Verdict::of(score) == Verdict::Anomaly);
        }
        fact.step = moment_of(&fact).and_then(|moment| device.episode.decide(moment));
        absorb(device, &fact);
        fact
    }

    /// Enters a stored fact in the device's state and decides nothing: replay.
    pub fn apply(&self, device: &mut Device, fact: &Fact) {
        let mut fact = *fact;
        if fact.fate != Fate::Duplicate {
            let taken = self.take_in(device, fact.reading);
            fact.silent_ms = taken.finding.and_then(|finding| finding.silent_ms);
            if taken.is_held {
                device.note_outside(fact.reading, fact.is_outside);
            }
        }
        absorb(device, &fact);
    }

    fn take_in(&self, device: &mut Device, reading: Reading) -> Taken {
        let timestamp_ms = reading.timestamp_ms();
        if device.signal.holds(timestamp_ms) || device.late_ms.contains(&timestamp_ms) {
            return Taken::aside(Fate::Duplicate);
        }
        if device.observed_ms.is_some_and(|newest| timestamp_ms <= newest) {
            device.remember_aside(timestamp_ms);
            return Taken::aside(Fate::Late);
        }
        device.observed_ms = Some(timestamp_ms);
        if self.policy != Policy::Calibrated {
            device.signal.push(reading, self.prior.spread);
            return Taken { fate: Fate::Fresh, is_held: true, finding: None };
        }
        let mean =
            if self.prior.is_unitless() { Mean::Unitless } else { Mean::Celsius(device.signal.mean()) };
        let (mut finding, is_credible) = device.channels.arrive(reading, mean);
        if is_credible {
            device.signal.push(reading, self.prior.spread);
            let spread = device.signal.scale(self.prior.spread).spread;
            device.channels.take(reading, spread, &mut finding);
        } else {
            device.remember_aside(timestamp_ms);
        }
        Taken { fate: Fate::Fresh, is_held: is_credible, finding: Some(finding) }
    }

    fn error(&self, window: &[f32], reconstruction: &[f32]) -> f64 {
        match self.policy {
            Policy::Calibrated => newest_error(window, reconstruction),
            Policy::Fixed { .. } => error_of_newest(1, window, reconstruction),
        }
    }

    fn score(
        &self,
        device: &Device,
        seen: &Observation,
        error: Option<f64>,
    ) -> Option<(Option<Channel>, f64)> {
        let (channel, score) = self.habitual_score(device, seen, error)?;
        // What a person has set counts, whatever the device is used to.
        Some(if seen.breaks_limit {
            (Some(Channel::Limit), score.max(LIMIT_SCORE))
        } else {
            (channel, score)
        })
    }

    fn habitual_score(
        &self,
        device: &Device,
        seen: &Observation,
        error: Option<f64>,
    ) -> Option<(Option<Channel>, f64)> {
        match self.policy {
            Policy::Calibrated => {
                let mut finding = seen.finding?;
                if let Some(error) = error {
                    let score = device.calibration.score(error, self.prior.error_quantile);
                    finding.note(Channel::Reconstruction, score);
                }
                let (channel, score) = finding.fuse();
                Some((Some(channel), score))
            }
            Policy::Fixed { threshold } => Some((None, error? / threshold)),
        }
    }
}

/// What a fact means for alerts; nothing, unless it was judged.
fn moment_of(fact: &Fact) -> Option<Moment> {
    let Fact { reading, silent_ms, channel, .. } = *fact;
    let is_judged = fact.fate == Fate::Fresh;
    let score = fact.score.filter(|_| is_judged)?;
    Some(Moment { at_ms: reading.timestamp_ms(), silent_ms, score, channel })
}

/// Enters a fact in the half of the state that knows errors and scores.
fn absorb(device: &mut Device, fact: &Fact) {
    if let Some(error) = fact.error {
        device.calibration.absorb(error);
    }
    if fact.fate == Fate::Fresh {
        // What it does to the alert is remembered by the alert.
        device.newest = Some(Fact { channel: None, is_outside: false, silent_ms: None, step: None, ..*fact });
    }
    if let Some(moment) = moment_of(fact) {
        device.episode.enter(moment, fact.step);
    }
}

impl Device {
    /// Remembers the time of a reading that is not in the window, so that one sent again is known.
    fn remember_aside(&mut self, timestamp_ms: i64) {
        if self.late_ms.len() == LATE_TIMES {
            self.late_ms.remove(0);
        }
        self.late_ms.push(timestamp_ms);
    }
}

impl Prior {
    /// What is assumed of series that are no temperatures.
    #[must_use]
    pub fn unitless(error_quantile: f64) -> Self {
        Self { spread: 0.0, error_quantile }
    }

    fn is_unitless(&self) -> bool {
        self.spread <= 0.0
    }
}

/// Mean squared difference between the newest values of a window and their reconstruction, in normalized units: what
/// a device is judged by.
#[must_use]
pub fn newest_error(window: &[f32], reconstruction: &[f32]) -> f64 {
    error_of_newest(NEWEST_VALUES, window, reconstruction)
}

fn error_of_newest(n_values: usize, window: &[f32], reconstruction: &[f32]) -> f64 {
    let from = window.len().min(reconstruction.len()).saturating_sub(n_values);
    reconstruction_error(&window[from..], &reconstruction[from..])
}

/// Rounds to a thousandth of a degree; a reconstruction that is not finite comes out as zero.
fn round_thousandth(celsius: f64) -> f64 {
    if celsius.is_finite() { (celsius * 1000.0).round() / 1000.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CALIBRATED: Detector =
        Detector { policy: Policy::Calibrated, prior: Prior { spread: 1.0, error_quantile: 1.0 } };

    /// A stand-in for the network: expects every reading to be the window's mean.
    fn reconstruct(window: &[f32]) -> Vec<f32> {
        let length = f32::from(u16::try_from(window.len()).unwrap());
        vec![window.iter().sum::<f32>() / length; window.len()]
    }

    fn step(detector: &Detector, device: &mut Device, timestamp_ms: i64, celsius: f64) -> Fact {
        let mut window = Vec::new();
        let reading = Reading::new(timestamp_ms, celsius).unwrap();
        let seen = detector.observe(device, reading, &mut window);
        let reconstruction = if window.is_empty() { Vec::new() } else { reconstruct(&window) };
        detector.decide(device, &seen, &window, &reconstruction)
    }

    const INTERVAL_MS: i64 = 300_000;

    #[test]
    fn a_steady_device_is_normal_and_its_spike_is_not() {
        let mut device = Device::default();
        for n in 0..1200 {
            let celsius = 20.0 + 0.2 * f64::from(i32::try_from(n * 7 % 5).unwrap());
            let fact = step(&CALIBRATED, &mut device, n * INTERVAL_MS, celsius);
            assert_eq!(fact.verdict(), Verdict::Normal, "{n}: {fact:?}");
        }
        let fact = step(&CALIBRATED, &mut device, 1200 * INTERVAL_MS, 30.0);
        assert_eq!(fact.verdict(), Verdict::Anomaly);
        assert!(fact.channel.is_some() && fact.step == Some(Step::Opened), "{fact:?}");
        assert!(!fact.learning);
        assert_eq!(device.last_anomaly_ms(), Some(1200 * INTERVAL_MS));
        assert_eq!(device.open_alert().map(|alert| alert.began_ms), Some(1200 * INTERVAL_MS));
    }

    #[test]
    fn a_new_device_is_judged_at_once_and_says_that_it_is_learning() {
        let mut device = Device::default();
        let first = step(&CALIBRATED, &mut device, 0, 20.0);
        assert!(first.learning && first.error.is_none());
        assert_eq!(first.score, Some(0.0));
        assert_eq!(step(&CALIBRATED, &mut device, 1, -127.0).channel, Some(Channel::Range));
        for n in 1..576 {
            assert!(step(&CALIBRATED, &mut device, n * INTERVAL_MS, 20.0).learning);
        }
        assert!(!step(&CALIBRATED, &mut device, 577 * INTERVAL_MS, 20.0).learning);
    }

    #[test]
    fn a_broken_sensor_leaves_no_trace_in_the_window() {
        let mut device = Device::default();
        for n in 0..100 {
            step(&CALIBRATED, &mut device, n * INTERVAL_MS, 20.0 + f64::from(i32::try_from(n % 3).unwrap()));
        }
        let before = device.clone();
        let broken = step(&CALIBRATED, &mut device, 100 * INTERVAL_MS, -9999.0);
        assert_eq!((broken.verdict(), broken.channel), (Verdict::Anomaly, Some(Channel::Range)));
        assert_eq!(device.signal, before.signal);
        assert_eq!(step(&CALIBRATED, &mut device, 100 * INTERVAL_MS, -9999.0).fate, Fate::Duplicate);
    }

    #[test]
    fn a_pause_is_silence_from_the_moment_it_was_too_long() {
        let mut device = Device::default();
        for n in 0..100 {
            step(&CALIBRATED, &mut device, n * INTERVAL_MS, 20.0 + f64::from(i32::try_from(n % 3).unwrap()));
        }
        let fact = step(&CALIBRATED, &mut device, 120 * INTERVAL_MS, 20.0);
        assert_eq!(fact.channel, Some(Channel::Silence));
        assert_eq!(fact.silent_ms, Some(105 * INTERVAL_MS));
        assert_eq!(device.open_alert().map(|alert| alert.began_ms), fact.silent_ms);
    }

    fn hold(device: &mut Device, limit: Limit, minute: i64, celsius: f64) -> Fact {
        let mut window = Vec::new();
        let reading = Reading::new(minute * 60_000, celsius).unwrap();
        let mut seen = CALIBRATED.observe(device, reading, &mut window);
        device.hold_to(Some(limit), &mut seen);
        let reconstruction = if window.is_empty() { Vec::new() } else { reconstruct(&window) };
        CALIBRATED.decide(device, &seen, &window, &reconstruction)
    }

    #[test]
    fn a_limit_is_broken_when_readings_are_outside_for_too_long() {
        let limit = Limit { low: 2.0, high: 8.0, held_ms: 15 * 60_000 };
        let mut device = Device::default();
        for minute in 0..10 {
            assert_eq!(hold(&mut device, limit, minute, 5.0).step, None);
        }
        for minute in 10..25 {
            let fact = hold(&mut device, limit, minute, 8.5);
            assert!(fact.is_outside && fact.channel != Some(Channel::Limit), "{minute}: {fact:?}");
        }
        // A sensor that says that it is broken says nothing of the temperature.
        assert_ne!(hold(&mut device, limit, 25, -127.0).channel, Some(Channel::Limit));
        let broken = hold(&mut device, limit, 26, 8.5);
        assert_eq!((broken.channel, broken.score >= Some(3.0)), (Some(Channel::Limit), true));
        assert_eq!(hold(&mut device, limit, 27, 7.9).channel, None);
        assert!(hold(&mut device, limit, 28, 1.9).is_outside);
        assert_ne!(hold(&mut device, limit, 42, 1.9).channel, Some(Channel::Limit));
        assert_eq!(hold(&mut device, limit, 43, 1.9).channel, Some(Channel::Limit));
    }

    #[test]
    fn a_limit_counts_from_the_first_reading_on() {
        let limit = Limit { low: f64::NEG_INFINITY, high: 8.0, held_ms: 0 };
        let mut device = Device::default();
        let fact = hold(&mut device, limit, 0, 9.0);
        assert_eq!((fact.channel, fact.step), (Some(Channel::Limit), Some(Step::Opened)));
        assert_eq!(device.open_alert().map(|alert| alert.kind()), Some(crate::Kind::Limit));
    }

    #[test]
    fn numbers_of_other_units_have_no_codes() {
        let unitless = Detector { prior: Prior::unitless(1.0), ..CALIBRATED };
        let mut device = Device::default();
        for n in 0..10 {
            let reading = Reading::unitless(n * INTERVAL_MS, if n % 2 == 0 { 0.0 } else { 1e9 }).unwrap();
            let mut window = Vec::new();
            let seen = unitless.observe(&mut device, reading, &mut window);
            assert_eq!(unitless.decide(&mut device, &seen, &[], &[]).verdict(), Verdict::Normal);
        }
    }

    #[test]
    fn duplicates_and_late_readings_leave_the_window_alone() {
        let mut device = Device::default();
        for n in 10..60 {
            step(&CALIBRATED, &mut device, n * 10, 20.0);
        }
        let before = device.clone();
        assert_eq!(step(&CALIBRATED, &mut device, 590, 99.0).fate, Fate::Duplicate);
        assert_eq!(device, before);
        assert_eq!(step(&CALIBRATED, &mut device, 585, 99.0).fate, Fate::Late);
        assert_eq!(step(&CALIBRATED, &mut device, 585, 98.0).fate, Fate::Duplicate);
        assert_eq!((&device.signal, &device.newest), (&before.signal, &before.newest));
    }

    #[test]
    fn the_original_rule_judges_each_reading_alone_and_from_the_first_on() {
        let fixed = Detector { policy: Policy::Fixed { threshold: 0.01 }, ..CALIBRATED };
        let mut device = Device::default();
        assert_eq!(step(&fixed, &mut device, 0, 40.0).verdict(), Verdict::Anomaly);
        for n in 1..100 {
            let anomaly = n % 10 == 0;
            let fact = step(&fixed, &mut device, n, if anomaly { 40.0 } else { 25.2 });
            assert_eq!(fact.verdict() == Verdict::Anomaly, anomaly, "{n}: {fact:?}");
        }
    }

    fn bytes_of(device: &Device) -> Vec<u8> {
        let mut bytes = Vec::new();
        device.encode(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn replayed_facts_give_the_live_state(readings in prop::collection::vec((0_i64..400, -150.0_f64..200.0), 1..600)) {
            let (mut live, mut replayed) = (Device::default(), Device::default());
            let limit = Limit { low: -50.0, high: 100.0, held_ms: 3 * 60_000 };
            for (minute, celsius) in readings {
                let fact = hold(&mut live, limit, minute, celsius);
                CALIBRATED.apply(&mut replayed, &fact);
                prop_assert_eq!(&live, &replayed);
            }
        }

        #[test]
        fn a_state_goes_on_from_its_bytes(
            readings in prop::collection::vec((0_i64..400, -50.0_f64..150.0), 1..300),
            cut in 0_usize..300,
        ) {
            let (mut live, mut restored) = (Device::default(), Device::default());
            for (n, (timestamp_ms, celsius)) in readings.into_iter().enumerate() {
                if n == cut {
                    let bytes = bytes_of(&live);
                    let (device, rest) = Device::decode(&bytes).unwrap();
                    prop_assert!(rest.is_empty());
                    restored = device;
                }
                let fact = step(&CALIBRATED, &mut live, timestamp_ms, celsius);
                let again = step(&CALIBRATED, &mut restored, timestamp_ms, celsius);
                if n >= cut {
                    prop_assert_eq!(fact, again);
                    prop_assert_eq!(bytes_of(&live), bytes_of(&restored));
                }
            }
        }

        #[test]
        fn any_bytes_are_a_state_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Device::decode(&bytes);
            if let Some(version) = bytes.first_mut() {
                *version = STATE_VERSION;
            }
            if let Ok((device, rest)) = Device::decode(&bytes) {
                let mut again = bytes_of(&device);
                again.extend_from_slice(rest);
                prop_assert!(Device::decode(&again).is_ok());
            }
        }

        #[test]
        fn a_batch_ends_as_one_by_one(readings in prop::collection::vec((0_i64..400, -50.0_f64..150.0), 1..200)) {
            let (mut single, mut batched) = (Device::default(), Device::default());
            let mut expected = Vec::new();
            for &(timestamp_ms, celsius) in &readings {
                expected.push(step(&CALIBRATED, &mut single, timestamp_ms, celsius));
            }
            let mut windows = Vec::new();
            let mut seen = Vec::new();
            for &(timestamp_ms, celsius) in &readings {
                let from = windows.len();
                let reading = Reading::new(timestamp_ms, celsius).unwrap();
                seen.push((CALIBRATED.observe(&mut batched, reading, &mut windows), from..windows.len()));
            }
            let facts: Vec<Fact> = seen
                .iter()
                .map(|(seen, range)| {
                    let window = &windows[range.clone()];
                    let reconstruction = if window.is_empty() { Vec::new() } else { reconstruct(window) };
                    CALIBRATED.decide(&mut batched, seen, window, &reconstruction)
                })
                .collect();
            prop_assert_eq!(facts, expected);
            prop_assert_eq!(batched, single);
        }
    }
}
