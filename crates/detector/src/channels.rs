//! Channels that need temperatures alone: noise, changes at three paces, levels, and the time of day.
//!
//! Readings enter, a [`Finding`] leaves: how near each channel is to its boundary, in one number.
//! It refuses to know the autoencoder and its errors.

use crate::channel::Channel;
use crate::codec::{Source, StateError, put_f64, put_signed, put_unsigned};
use crate::normalize::GREATEST_MEAN;
use crate::peaks::{Judging, Peaks, Stretches};
use crate::reading::Reading;
use crate::rules::Rules;
use crate::score::log2;
use crate::season::Season;

/// Readings of a stretch for channels of differences.
const STRETCH: u16 = 128;
/// Readings of a stretch for channels of levels.
const LEVEL_STRETCH: u16 = 48;
/// Readings over which noise is the mean of.
const NOISE_READINGS: f64 = 16.0;
/// Readings of the two means whose difference is a change, pace by pace.
const PACES: [(f64, f64); 3] = [(2.0, 16.0), (8.0, 64.0), (32.0, 256.0)];
/// The channels of the three paces.
const CHANGES: [Channel; 3] = [Channel::FastChange, Channel::Change, Channel::SlowChange];
/// Readings of the means that are slow levels.
const SLOW_READINGS: [f64; 2] = [64.0, 256.0];
/// Readings over which differences from the usual day are the mean of.
const DAILY_READINGS: f64 = 12.0;
/// Differences are compared from this share of the device's spread on: below it lie the steps of sensors.
const LEAST_DIFFERENCE: f64 = 0.05;
/// Readings before differences are compared at all.
const FIRST_READINGS: u32 = 48;
/// Spreads between a usual peak and the boundary, for values that are means already.
const BOUNDARY: f64 = 4.0;
/// The same for values of single readings, and for those that follow the weather.
const WIDE_BOUNDARY: f64 = 5.0;
/// Milliseconds in a day.
const DAY_MS: f64 = 86_400_000.0;
/// Days until each hour of a day has been seen twice.
const YOUNG_DAYS: f64 = 2.0;

/// Spread of peaks that is assumed of unknown devices, in powers of two, and the least.
pub(crate) const BY_POWERS: Judging = Judging { boundary: BOUNDARY, prior_spread: 0.3, least_spread: 0.15 };

/// What the channels make of a reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// Sum of the fourth powers of the channels' scores.
    power: f64,
    /// The channel nearest to its boundary, and its score.
    top: (Channel, f64),
    /// The rule that is broken, and its score.
    rule: Option<(Channel, f64)>,
    /// How much wider boundaries are than for a device whose days are known.
    caution: f64,
    /// When the device became silent before this reading, in epoch milliseconds.
    pub silent_ms: Option<i64>,
}

impl Finding {
    fn new(caution: f64) -> Self {
        Self { power: 0.0, top: (Channel::Level, 0.0), rule: None, caution, silent_ms: None }
    }

    /// Adds a channel's score.
    pub(crate) fn note(&mut self, channel: Channel, score: f64) {
        let squared = score * score;
        self.power += squared * squared;
        if score > self.top.1 {
            self.top = (channel, score);
        }
    }

    fn breaks(&mut self, channel: Channel, score: f64) {
        if score > self.rule.map_or(0.0, |(_, score)| score) {
            self.rule = Some((channel, score));
        }
    }

    /// All channels in one score, 1 being the boundary, and the one that counted most.
    ///
    /// The fourth root of the sum of fourth powers: a channel alone counts for itself, several that agree for more.
    pub(crate) fn fuse(&self) -> (Channel, f64) {
        let score = self.power.sqrt().sqrt() / self.caution;
        match self.rule {
            Some((channel, certain)) if certain > score => (channel, certain),
            _ => (self.top.0, score),
        }
    }
}

/// The channels of one device.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Channels {
    rules: Rules,
    first_ms: i64,
    /// Credible readings.
    n_readings: u32,
    noise: f64,
    paces: [[f64; 2]; 3],
    slow: [f64; 2],
    daily: f64,
    season: Season,
    stretches: Stretches,
    noise_peaks: Peaks,
    pace_peaks: [Peaks; 3],
    level_stretches: Stretches,
    level_peaks: [Peaks; 2],
    slow_peaks: [[Peaks; 2]; 2],
    daily_stretches: Stretches,
    daily_peaks: [Peaks; 2],
}

/// A mean that forgets: all readings count alike until there are `length`.
fn follow(mean: &mut f64, value: f64, n_readings: u32, length: f64) -> f64 {
    *mean += (value - *mean) / f64::from(n_readings.max(1)).min(length);
    *mean
}

impl Channels {
    /// Notes the arrival of a reading, and tells whether its temperature is one.
    pub(crate) fn arrive(&mut self, reading: Reading, mean: Mean) -> (Finding, bool) {
        let at_ms = reading.timestamp_ms();
        let silent_ms = self.rules.arrive(at_ms);
        if self.n_readings == 0 {
            self.first_ms = at_ms;
        }
        #[expect(clippy::cast_precision_loss, reason = "ages of more than 285 thousand years are rounded")]
        let days = at_ms.saturating_sub(self.first_ms) as f64 / DAY_MS;
        let mut finding = Finding::new(1.0 + (1.0 - days / YOUNG_DAYS).clamp(0.0, 1.0));
        if silent_ms.is_some() {
            finding.silent_ms = silent_ms;
            finding.breaks(Channel::Silence, Rules::certain());
        }
        let is_credible = match mean {
            Mean::Unitless => true,
            Mean::Celsius(mean) => self.rules.is_credible(reading.celsius(), mean),
        };
        if !is_credible {
            finding.breaks(Channel::Range, Rules::certain());
        }
        (finding, is_credible)
    }

    /// Tells whether the days of the device are not known yet.
    pub(crate) fn is_young(finding: &Finding) -> bool {
        finding.caution > 1.0
    }

    /// Takes in a credible reading of a device whose readings have this spread.
    pub(crate) fn take(&mut self, reading: Reading, spread: f64, finding: &mut Finding) {
        let celsius = reading.celsius();
        self.n_readings = self.n_readings.saturating_add(1);
        let jump = self.take_repeats(celsius, finding);
        let ends = self.stretches.count(STRETCH);
        self.take_noise(jump, spread, ends, finding);
        for pace in 0..PACES.len() {
            self.take_change(pace, celsius, spread, ends, finding);
        }
        if ends {
            self.stretches.close();
        }
        let ends = self.level_stretches.count(LEVEL_STRETCH);
        self.take_level(celsius, spread, ends, finding);
        for slowness in 0..SLOW_READINGS.len() {
            self.take_slow_level(slowness, celsius, spread, ends, finding);
        }
        if ends {
            self.level_stretches.close();
        }
        self.take_daily(reading, spread, finding);
    }

    /// Returns the change from the reading before.
    pub(crate) fn take_repeats(&mut self, celsius: f64, finding: &mut Finding) -> f64 {
        let jump = self.rules.jump(celsius);
        finding.breaks(Channel::Stuck, self.rules.repeat(celsius));
        jump
    }

    pub(crate) fn take_noise(&mut self, jump: f64, spread: f64, ends: bool, finding: &mut Finding) {
        let usual = follow(&mut self.noise, jump, self.n_readings, NOISE_READINGS);
        let noise = self.power(usual, spread);
        let by = Judging { boundary: WIDE_BOUNDARY, ..BY_POWERS };
        finding.note(Channel::Noise, self.noise_peaks.score(noise, self.stretches, by));
        self.noise_peaks.take(noise, ends, self.stretches, by);
    }

    pub(crate) fn take_change(
        &mut self,
        pace: usize,
        celsius: f64,
        spread: f64,
        ends: bool,
        finding: &mut Finding,
    ) {
        let n = self.n_readings;
        let (short, long) = PACES[pace];
        let [fast, slow] = &mut self.paces[pace];
        let difference = follow(fast, celsius, n, short) - follow(slow, celsius, n, long);
        let change = self.power(difference, spread);
        let peaks = &mut self.pace_peaks[pace];
        finding.note(CHANGES[pace], peaks.score(change, self.stretches, BY_POWERS));
        peaks.take(change, ends, self.stretches, BY_POWERS);
    }

    /// A difference as a power of two, in the device's spreads.
    fn power(&self, difference: f64, spread: f64) -> f64 {
        let share = if self.n_readings < FIRST_READINGS { 0.0 } else { difference.abs() / spread };
        log2(share + LEAST_DIFFERENCE)
    }

    pub(crate) fn take_level(&mut self, celsius: f64, spread: f64, ends: bool, finding: &mut Finding) {
        let by = by_levels(spread, WIDE_BOUNDARY);
        both_ways(&mut self.level_peaks, celsius, ends, self.level_stretches, by, Channel::Level, finding);
    }

    pub(crate) fn take_slow_level(
        &mut self,
        slowness: usize,
        celsius: f64,
        spread: f64,
        ends: bool,
        finding: &mut Finding,
    ) {
        let level = follow(&mut self.slow[slowness], celsius, self.n_readings, SLOW_READINGS[slowness]);
        let by = by_levels(spread, BOUNDARY);
        let peaks = &mut self.slow_peaks[slowness];
        both_ways(peaks, level, ends, self.level_stretches, by, Channel::SlowLevel, finding);
    }

    pub(crate) fn take_daily(&mut self, reading: Reading, spread: f64, finding: &mut Finding) {
        let (at_ms, celsius) = (reading.timestamp_ms(), reading.celsius());
        let deviation = self.season.deviation(at_ms, celsius);
        self.season.learn(at_ms, celsius, self.rules.interval_ms());
        let Some(deviation) = deviation.filter(|_| finding.caution <= 1.0) else {
            return;
        };
        let daily = follow(&mut self.daily, deviation, u32::MAX, DAILY_READINGS);
        let ends = self.daily_stretches.count(LEVEL_STRETCH);
        let by = by_levels(spread, WIDE_BOUNDARY);
        let stretches = self.daily_stretches;
        both_ways(&mut self.daily_peaks, daily, ends, stretches, by, Channel::DailyProfile, finding);
        if ends {
            self.daily_stretches.close();
        }
    }

    fn peaks(&self) -> [&Peaks; 12] {
        let [fast, middle, slow] = &self.pace_peaks;
        let [[a, b], [c, d]] = &self.slow_peaks;
        let ([high, low], [above, below]) = (&self.level_peaks, &self.daily_peaks);
        [&self.noise_peaks, fast, middle, slow, high, low, a, b, c, d, above, below]
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.rules.encode(out);
        put_signed(out, self.first_ms);
        put_unsigned(out, self.n_readings.into());
        for number in self.paces.iter().flatten().chain(&self.slow).chain([&self.noise, &self.daily]) {
            put_f64(out, *number);
        }
        self.season.encode(out);
        for stretches in [self.stretches, self.level_stretches, self.daily_stretches] {
            stretches.encode(out);
        }
        for peaks in self.peaks() {
            peaks.encode(out);
        }
    }

    pub(crate) fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        let mut channels = Self {
            rules: Rules::decode(source)?,
            first_ms: source.signed()?,
            n_readings: source.small("count of readings")?,
            ..Self::default()
        };
        for number in channels.paces.iter_mut().flatten().chain(&mut channels.slow) {
            *number = source.at_most(GREATEST_MEAN, "means")?;
        }
        channels.noise = source.at_most(GREATEST_MEAN, "noise")?;
        channels.daily = source.at_most(GREATEST_MEAN, "differences from the usual day")?;
        channels.season = Season::decode(source)?;
        channels.stretches = Stretches::decode(source)?;
        channels.level_stretches = Stretches::decode(source)?;
        channels.daily_stretches = Stretches::decode(source)?;
        channels.noise_peaks = Peaks::decode(source)?;
        for peaks in &mut channels.pace_peaks {
            *peaks = Peaks::decode(source)?;
        }
        for peaks in channels.level_peaks.iter_mut().chain(channels.slow_peaks.iter_mut().flatten()) {
            *peaks = Peaks::decode(source)?;
        }
        for peaks in &mut channels.daily_peaks {
            *peaks = Peaks::decode(source)?;
        }
        Ok(channels)
    }
}

/// A device's mean temperature, where temperatures are what is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mean {
    /// In degrees Celsius; `None` before the first reading.
    Celsius(Option<f64>),
    /// Values are no temperatures.
    Unitless,
}

fn by_levels(spread: f64, boundary: f64) -> Judging {
    Judging { boundary, prior_spread: 0.4 * spread, least_spread: 0.08 * spread }
}

/// Judges a level upward and downward.
fn both_ways(
    peaks: &mut [Peaks; 2],
    level: f64,
    ends: bool,
    stretches: Stretches,
    by: Judging,
    channel: Channel,
    finding: &mut Finding,
) {
    for (peaks, value) in peaks.iter_mut().zip([level, -level]) {
        finding.note(channel, peaks.score(value, stretches, by));
        peaks.take(value, ends, stretches, by);
    }
}
