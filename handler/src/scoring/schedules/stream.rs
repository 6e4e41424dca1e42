//! A stream of events, and a stand-in for the network.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use wire::invocation::Event;
use wire::position::Stream;

use super::super::decide::Reconstruct;

pub(super) const START_MS: i64 = 1_767_000_000_000;
pub(super) const HOUR_MS: i64 = 3_600_000;
const DEVICES: [&str; 5] = ["cellar", "roof", "door", "shelf-1", "shelf-2"];

/// Seeded choices.
#[derive(Debug)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from 0 to `n - 1`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.0.next_u64() % n.max(1) as u64).expect("small")
    }

    /// As [`Dice::below`], signed.
    fn signed(&mut self, n: usize) -> i64 {
        i64::try_from(self.below(n)).expect("small")
    }

    /// True once in `n` times.
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Expects every reading to be the window's mean, times a factor that tells models apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct MeanModel(pub(super) f32);

impl Reconstruct for MeanModel {
    fn reconstruct(&self, windows: &[f32]) -> anyhow::Result<Vec<f32>> {
        let mut out = Vec::with_capacity(windows.len());
        for window in windows.chunks(detector::WINDOW_LENGTH) {
            let mean = window.iter().sum::<f32>() / detector::WINDOW_LENGTH as f32;
            out.extend(std::iter::repeat_n(mean * self.0, window.len()));
        }
        Ok(out)
    }
}

/// What a hub holds until it is rebuilt: a partition's events with numbers from zero on.
#[derive(Debug, Clone)]
pub(super) struct Hub {
    pub(super) events: Vec<Event<'static>>,
}

/// Two hubs after each other where a schedule has a rebuild, else one.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub(super) hubs: Vec<Hub>,
    pub(super) stream: Stream,
}

/// What may happen to a stream itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StreamFaults {
    /// Sequence numbers jump.
    pub(super) jumps: bool,
    /// Some events lack metadata.
    pub(super) lacks_metadata: bool,
    /// Devices are silent for days, and clocks jump.
    pub(super) long: bool,
    /// The hub is rebuilt.
    pub(super) is_rebuilt: bool,
}

impl Course {
    pub(super) fn new(dice: &mut Dice, namespace: &str, n_events: usize, faults: StreamFaults) -> Self {
        let mut now_ms = START_MS;
        let n_hubs = if faults.is_rebuilt { 2 } else { 1 };
        let hubs = (0..n_hubs)
            .map(|_| {
                now_ms += 11 * 60_000;
                hub(dice, n_events / n_hubs, &mut now_ms, faults)
            })
            .collect();
        let stream = Stream {
            namespace: namespace.to_owned(),
            hub: "h".to_owned(),
            partition: "0".to_owned(),
            epoch: 0,
        };
        Self { hubs, stream }
    }
}

fn hub(dice: &mut Dice, n_events: usize, now_ms: &mut i64, faults: StreamFaults) -> Hub {
    let mut sequence = -1;
    let events = (0..n_events).map(|_| {
        sequence += if faults.jumps && dice.one_in(40) { 1 + dice.signed(4) } else { 1 };
        *now_ms += 1000 + dice.signed(60_000);
        if faults.long && dice.one_in(20) {
            // Alerts close after hours of calm; devices are forgotten and documents deleted after longer ones.
            let hours = if dice.one_in(4) { 30 } else { 8 };
            *now_ms += dice.signed(hours) * HOUR_MS;
        }
        event(dice, sequence, *now_ms, faults)
    });
    Hub { events: events.collect() }
}

fn event(dice: &mut Dice, sequence: i64, now_ms: i64, faults: StreamFaults) -> Event<'static> {
    let device = DEVICES[dice.below(DEVICES.len())];
    let mut reading = || {
        let timestamp = match dice.below(12) {
            0 => now_ms - 90_000,
            1 => START_MS,
            _ => now_ms - dice.signed(900),
        };
        let device = if dice.one_in(3) { DEVICES[dice.below(DEVICES.len())] } else { device };
        let celsius = match dice.below(24) {
            0 => -127.0,
            1 => 50.0,
            2 => 34.0,
            _ => 20.0 + dice.below(1000) as f64 / 100.0,
        };
        json!({"deviceId": device, "temperature": celsius, "timestamp": timestamp})
    };
    let (text, is_bare) = match sequence.rem_euclid(11) {
        0 => ("{\"temperature\": broken".to_owned(), true),
        1 | 2 => (json!([reading(), reading(), reading()]).to_string(), true),
        3 => (json!([reading(), 7, reading()]).to_string(), true),
        _ => {
            let mut reading = reading();
            reading["deviceId"] = device.into();
            (reading.to_string(), false)
        }
    };
    let is_telemetry = !dice.one_in(25);
    let has_times = !(faults.lacks_metadata && sequence > 0 && dice.one_in(10));
    Event {
        sequence_number: Some(sequence),
        enqueued_ms: has_times.then_some(now_ms),
        device_id: (!is_bare).then(|| device.into()),
        message_source: (!is_telemetry).then(|| "twinChangeEvents".into()),
        message_id: None,
        text: text.into(),
    }
}
