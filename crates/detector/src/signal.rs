//! A device's recent readings and what turns them into a normalized window: the part of its state that knows
//! temperatures and no scores.

use crate::codec::{Source, StateError, put_f32, put_signed};
use crate::normalize::Normalizer;
use crate::reading::Reading;

/// Readings in a window.
pub const WINDOW_LENGTH: usize = 32;

/// Spreads at which the newest reading of a window is cut: enough to be seen, too little to overflow a network.
const NEWEST_LIMIT: f64 = 16.0;
/// Spreads at which the older readings of a window are cut, so that one spike does not stay loud for a whole window.
const HISTORY_LIMIT: f64 = 4.0;

/// A device's last [`WINDOW_LENGTH`] readings, with its mean and spread.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signal {
    normalizer: Normalizer,
    celsius: [f32; WINDOW_LENGTH],
    timestamps_ms: [i64; WINDOW_LENGTH],
    /// Where the next reading goes.
    next: usize,
    /// Readings held, at most [`WINDOW_LENGTH`].
    n_held: usize,
}

impl Signal {
    /// Takes in a reading that is newer than all before it.
    pub fn push(&mut self, reading: Reading, prior_spread: f64) {
        self.normalizer.observe(reading.celsius(), prior_spread);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the window is f32; a temperature fits with room"
        )]
        let celsius = reading.celsius() as f32;
        self.celsius[self.next] = celsius;
        self.timestamps_ms[self.next] = reading.timestamp_ms();
        self.next = (self.next + 1) % WINDOW_LENGTH;
        self.n_held = (self.n_held + 1).min(WINDOW_LENGTH);
    }

    /// Tells whether one of the readings held has this time, in epoch milliseconds.
    #[must_use]
    pub fn holds(&self, timestamp_ms: i64) -> bool {
        self.timestamps_ms[..self.n_held].contains(&timestamp_ms)
    }

    /// Time in epoch milliseconds and degrees Celsius of the readings held, oldest first.
    pub fn readings(&self) -> impl Iterator<Item = (i64, f64)> {
        self.places().map(|place| (self.timestamps_ms[place], f64::from(self.celsius[place])))
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.normalizer.encode(out);
        out.push(u8::try_from(self.n_held).unwrap_or(u8::MAX));
        let mut before = 0_i64;
        for place in self.places() {
            put_f32(out, self.celsius[place]);
            put_signed(out, self.timestamps_ms[place].wrapping_sub(before));
            before = self.timestamps_ms[place];
        }
    }

    pub(crate) fn decode(source: &mut Source<'_>) -> Result<Self, StateError> {
        let normalizer = Normalizer::decode(source)?;
        let n_held = usize::from(source.byte()?);
        if n_held > WINDOW_LENGTH {
            return Err(StateError::Impossible("window"));
        }
        let mut signal = Self { normalizer, n_held, next: n_held % WINDOW_LENGTH, ..Self::default() };
        let mut before = 0_i64;
        for place in 0..n_held {
            signal.celsius[place] = source.f32()?;
            before = before.wrapping_add(source.signed()?);
            signal.timestamps_ms[place] = before;
        }
        Ok(signal)
    }

    /// Where the readings held are, oldest first.
    fn places(&self) -> impl Iterator<Item = usize> {
        let oldest = (self.next + WINDOW_LENGTH - self.n_held) % WINDOW_LENGTH;
        (0..self.n_held).map(move |age| (oldest + age) % WINDOW_LENGTH)
    }

    /// Tells whether a full window is held.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.n_held == WINDOW_LENGTH
    }

    /// The device's own mean in degrees Celsius; `None` before its first reading.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (!self.normalizer.is_blank()).then(|| self.normalizer.mean())
    }

    /// The device's own mean and spread, in degrees Celsius.
    #[must_use]
    pub fn scale(&self, prior_spread: f64) -> Scale {
        Scale { mean: self.normalizer.mean(), spread: self.normalizer.spread(prior_spread) }
    }

    /// Appends the window to `out`, oldest reading first, in units of `scale`; readings not held yet are its mean.
    ///
    /// Older readings are cut at `history_limit`, the newest at a wider limit.
    pub fn write_window(&self, scale: Scale, history_limit: f64, out: &mut Vec<f32>) {
        out.extend(std::iter::repeat_n(0.0, WINDOW_LENGTH - self.n_held));
        for (place, age) in self.places().zip(1..) {
            let celsius = f64::from(self.celsius[place]);
            let limit = if age == self.n_held { NEWEST_LIMIT } else { history_limit };
            out.push(scale.normalize(celsius, limit));
        }
    }

    /// Appends the window in the device's own units: what the network is trained on and what it serves.
    ///
    /// Returns whether the window was full; nothing is appended otherwise.
    pub fn write_own_window(&self, prior_spread: f64, out: &mut Vec<f32>) -> bool {
        if self.is_full() {
            self.write_window(self.scale(prior_spread), HISTORY_LIMIT, out);
        }
        self.is_full()
    }
}

/// Mean and spread that turn degrees Celsius into a window's dimensionless units and back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Degrees Celsius that become 0.
    pub mean: f64,
    /// Degrees Celsius that become a difference of 1.
    pub spread: f64,
}

impl Scale {
    fn normalize(self, celsius: f64, limit: f64) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "cut to a few units just before")]
        let normalized = ((celsius - self.mean) / self.spread).clamp(-limit, limit) as f32;
        normalized
    }

    /// Turns a value of a window back into degrees Celsius.
    #[must_use]
    pub fn denormalize(self, normalized: f32) -> f64 {
        f64::from(normalized) * self.spread + self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal_of(values: impl IntoIterator<Item = f64>) -> Signal {
        let mut signal = Signal::default();
        for (timestamp_ms, celsius) in (0..).zip(values) {
            signal.push(Reading::new(timestamp_ms, celsius).unwrap(), 1.0);
        }
        signal
    }

    #[test]
    fn a_window_is_in_order_of_time() {
        let signal = signal_of((0..40).map(f64::from));
        let mut window = Vec::new();
        assert!(signal.write_own_window(1.0, &mut window));
        assert_eq!(window.len(), WINDOW_LENGTH);
        assert!(window.is_sorted());
    }

    #[test]
    fn no_window_before_it_is_full() {
        let mut window = Vec::new();
        assert!(!signal_of((0..31).map(f64::from)).write_own_window(1.0, &mut window));
        assert!(window.is_empty());
    }

    #[test]
    fn a_short_history_is_padded_with_the_mean() {
        let mut window = Vec::new();
        signal_of([30.0]).write_window(Scale { mean: 25.0, spread: 10.0 }, 4.0, &mut window);
        assert_eq!(window[..WINDOW_LENGTH - 1], [0.0; WINDOW_LENGTH - 1]);
        assert_eq!(window[WINDOW_LENGTH - 1], 0.5);
    }

    #[test]
    fn a_spike_is_loud_only_while_it_is_the_newest() {
        let mut signal = signal_of((0..100).map(|n| 20.0 + f64::from(n % 2)));
        signal.push(Reading::new(1000, 500.0).unwrap(), 1.0);
        let mut window = Vec::new();
        signal.write_own_window(1.0, &mut window);
        let newest = window[WINDOW_LENGTH - 1];
        assert!(newest > 8.0, "{newest}");
        signal.push(Reading::new(1001, 20.0).unwrap(), 1.0);
        window.clear();
        signal.write_own_window(1.0, &mut window);
        assert!(window[WINDOW_LENGTH - 2] <= 4.0);
    }

    #[test]
    fn holds_only_recent_times() {
        let signal = signal_of((0..40).map(f64::from));
        assert!(signal.holds(39) && signal.holds(8));
        assert!(!signal.holds(7) && !signal.holds(40));
        assert!(!Signal::default().holds(0));
    }
}
