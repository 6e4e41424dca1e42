//! What each channel costs: its own step, alone, on the series of a device with a month of history.
//!
//!     cargo bench --workspace --exclude handler --bench channels
//!
//! The channels' code is compiled into this benchmark, because nothing public separates one from the other.
//! Beside them stands all that is done between a reading and its score but the model's call.

#![expect(
    dead_code,
    unreachable_pub,
    reason = "each room of the detector is here, and the steps of channels alone are used"
)]
#![expect(unused_imports, reason = "the rooms' tests are not run from here")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run shall stop")]

#[path = "../src/calibrate.rs"]
mod calibrate;
#[path = "../src/channel.rs"]
mod channel;
#[path = "../src/channels.rs"]
mod channels;
#[path = "../src/codec.rs"]
mod codec;
#[path = "../src/normalize.rs"]
mod normalize;
#[path = "../src/peaks.rs"]
mod peaks;
#[path = "../src/reading.rs"]
mod reading;
#[path = "../src/rules.rs"]
mod rules;
#[path = "../src/score.rs"]
mod score;
#[path = "../src/season.rs"]
mod season;
mod series;

use std::hint::black_box;

use channels::{Channels, Finding, Mean};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use reading::Reading;

/// The device's spread in degrees Celsius.
const SPREAD: f64 = 1.2;
/// Readings measured.
const N_READINGS: usize = 4096;
/// Readings of a stretch, nearly.
const STRETCH: usize = 100;

/// What a step is given.
struct Step<'a> {
    channels: &'a mut Channels,
    reading: Reading,
    /// The change from the reading before, in degrees Celsius.
    jump: f64,
    ends: bool,
    finding: &'a mut Finding,
}

fn channels_benchmark(criterion: &mut Criterion) {
    let all: Vec<Reading> = series::readings(series::N_HISTORY + N_READINGS)
        .into_iter()
        .map(|reading| Reading::new(reading.timestamp_ms(), reading.celsius()).expect("a temperature"))
        .collect();
    let (history, readings) = all.split_at(series::N_HISTORY);
    let mut learned = Channels::default();
    for reading in history {
        whole(&mut learned, *reading);
    }
    let mut group = criterion.benchmark_group("channels");
    group.throughput(Throughput::Elements(N_READINGS as u64));
    let mut measure = |name: &str, step: &dyn Fn(Step<'_>)| {
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || learned.clone(),
                |channels| each(channels, readings, step),
                BatchSize::SmallInput,
            );
        });
    };
    measure("nothing", &|step| {
        black_box(step.jump);
    });
    measure("silence and range", &|step| {
        black_box(step.channels.arrive(step.reading, Mean::Celsius(Some(21.0))));
    });
    measure("stuck", &|step| {
        black_box(step.channels.take_repeats(step.reading.celsius(), step.finding));
    });
    measure("noise", &|step| step.channels.take_noise(step.jump, SPREAD, step.ends, step.finding));
    for (pace, name) in ["fast change", "change", "slow change"].into_iter().enumerate() {
        measure(name, &|step| {
            step.channels.take_change(pace, step.reading.celsius(), SPREAD, step.ends, step.finding);
        });
    }
    measure("level", &|step| {
        step.channels.take_level(step.reading.celsius(), SPREAD, step.ends, step.finding);
    });
    measure("slow level, both means", &|step| {
        for slowness in [0, 1] {
            step.channels.take_slow_level(slowness, step.reading.celsius(), SPREAD, step.ends, step.finding);
        }
    });
    measure("daily profile", &|step| step.channels.take_daily(step.reading, SPREAD, step.finding));
    measure("all of these", &|step| {
        black_box(whole(step.channels, step.reading));
    });
    group.finish();
}

fn whole(channels: &mut Channels, reading: Reading) -> Finding {
    let (mut finding, _) = channels.arrive(reading, Mean::Celsius(Some(21.0)));
    channels.take(reading, SPREAD, &mut finding);
    finding
}

fn each(channels: &mut Channels, readings: &[Reading], step: &dyn Fn(Step<'_>)) {
    // Known for more than two days: the daily profile judges.
    let (known, _) = channels.clone().arrive(readings[0], Mean::Celsius(Some(21.0)));
    let mut before = readings[0].celsius();
    for (n, reading) in readings.iter().enumerate() {
        let mut finding = known;
        let jump = (reading.celsius() - before).abs();
        before = reading.celsius();
        step(Step { channels, reading: *reading, jump, ends: n % STRETCH == 0, finding: &mut finding });
        black_box(&finding);
    }
}

criterion_group!(benches, channels_benchmark);
criterion_main!(benches);
