//! What judging a reading costs beside the model's call, and what a device's state takes.
//!
//!     cargo bench -p detector --bench judge
//!
//! `one device` is a single device's series, all of whose state stays in the nearest cache; `many devices` is one
//! reading of each in turn, as a hub delivers them.
//! `observe` and `decide` are the whole; `window`, `reconstruction` and `episode` are steps of theirs, alone on the
//! same series; the other channels are what remains.
//! Devices have a month of history: everything is learned, and every channel judges.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run shall stop")]

mod series;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use detector::{
    Calibration, Detector, Device, Episode, Moment, Observation, Policy, Prior, Reading, Signal,
    WINDOW_LENGTH, newest_error,
};
use series::{N_HISTORY, readings};

const DETECTOR: Detector =
    Detector { policy: Policy::Calibrated, prior: Prior { spread: 0.771, error_quantile: 2.791 } };
/// Readings of a batch, as the host sends them at most.
const BATCH: usize = 512;
const N_BATCHES: usize = 8;
/// Devices beyond the caches: 10 MB of state.
const N_DEVICES: usize = 8192;

/// Stands in for the model: an answer of this kind for every value.
fn reconstruction(n_values: usize) -> Vec<f32> {
    (0..n_values).map(|n| if n % 3 == 0 { 0.3 } else { -0.1 }).collect()
}

/// What a batch needs, kept from batch to batch as the handler does.
#[derive(Default)]
struct Buffers {
    windows: Vec<f32>,
    waiting: Vec<(Observation, usize)>,
}

fn observe(buffers: &mut Buffers, device: &mut Device, reading: Reading) {
    let from = buffers.windows.len();
    let seen = DETECTOR.observe(device, reading, &mut buffers.windows);
    buffers.waiting.push((seen, from));
}

fn decide(device: &mut Device, seen: &Observation, windows: &[f32], reconstructions: &[f32]) {
    black_box(DETECTOR.decide(device, seen, windows, reconstructions));
}

fn learned(history: &[Reading]) -> Device {
    let reconstructions = reconstruction(WINDOW_LENGTH);
    let mut device = Device::default();
    for reading in history {
        let mut buffers = Buffers::default();
        observe(&mut buffers, &mut device, *reading);
        let (seen, _) = buffers.waiting[0];
        let n = buffers.windows.len();
        decide(&mut device, &seen, &buffers.windows, &reconstructions[..n]);
    }
    device
}

/// Observes and decides a batch after the other; reading `n` belongs to device `n % devices.len()`.
fn judge(buffers: &mut Buffers, devices: &mut [Device], readings: &[Reading], reconstructions: &[f32]) {
    let n_devices = devices.len();
    for (b, batch) in readings.chunks(BATCH).enumerate() {
        buffers.windows.clear();
        buffers.waiting.clear();
        for (n, reading) in batch.iter().enumerate() {
            observe(buffers, &mut devices[(b * BATCH + n) % n_devices], *reading);
        }
        for (n, (seen, from)) in buffers.waiting.iter().enumerate() {
            let to = (from + WINDOW_LENGTH).min(buffers.windows.len());
            let device = &mut devices[(b * BATCH + n) % n_devices];
            decide(device, seen, &buffers.windows[*from..to], &reconstructions[*from..to]);
        }
    }
}

fn judge_benchmark(criterion: &mut Criterion) {
    let all = readings(N_HISTORY + N_BATCHES * BATCH);
    let (history, series) = all.split_at(N_HISTORY);
    let device = learned(history);
    print_sizes(&device);
    let reconstructions = reconstruction(BATCH * WINDOW_LENGTH);
    let mut buffers = Buffers::default();

    let mut group = criterion.benchmark_group("one device");
    group.throughput(Throughput::Elements(series.len() as u64));
    group.bench_function("observe and decide", |bencher| {
        let start = || [device.clone()];
        bencher.iter_batched_ref(
            start,
            |devices| judge(&mut buffers, devices, series, &reconstructions),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("observe", |bencher| {
        let observe_all = |device: &mut Device| {
            for reading in series {
                buffers.windows.clear();
                black_box(DETECTOR.observe(device, *reading, &mut buffers.windows));
            }
        };
        bencher.iter_batched_ref(|| device.clone(), observe_all, BatchSize::SmallInput);
    });
    group.finish();

    let mut group = criterion.benchmark_group("many devices");
    let later: Vec<Reading> = vec![series[0]; N_DEVICES];
    group.throughput(Throughput::Elements(later.len() as u64));
    group.bench_function("observe and decide", |bencher| {
        let start = || vec![device.clone(); N_DEVICES];
        bencher.iter_batched_ref(
            start,
            |devices| judge(&mut buffers, devices, &later, &reconstructions),
            BatchSize::LargeInput,
        );
    });
    group.finish();
    steps(criterion, history, series);
}

/// Steps that can be had alone, on the same series.
fn steps(criterion: &mut Criterion, history: &[Reading], series: &[Reading]) {
    let mut signal = Signal::default();
    for reading in history {
        signal.push(*reading, DETECTOR.prior.spread);
    }
    let expected = reconstruction(WINDOW_LENGTH);
    let mut window = Vec::with_capacity(WINDOW_LENGTH);
    let mut group = criterion.benchmark_group("steps");
    group.throughput(Throughput::Elements(series.len() as u64));
    group.bench_function("window", |bencher| {
        let push_all = |signal: &mut Signal| {
            for reading in series {
                window.clear();
                signal.push(*reading, DETECTOR.prior.spread);
                black_box(signal.write_own_window(DETECTOR.prior.spread, &mut window));
            }
        };
        bencher.iter_batched_ref(|| signal.clone(), push_all, BatchSize::SmallInput);
    });
    let mut windows = Vec::new();
    for reading in series {
        signal.push(*reading, DETECTOR.prior.spread);
        signal.write_own_window(DETECTOR.prior.spread, &mut windows);
    }
    let mut calibration = Calibration::default();
    for window in windows.chunks(WINDOW_LENGTH) {
        calibration.absorb(newest_error(window, &expected));
    }
    group.bench_function("reconstruction", |bencher| {
        let score_all = |calibration: &mut Calibration| {
            for window in windows.chunks(WINDOW_LENGTH) {
                let error = newest_error(window, &expected);
                black_box(calibration.score(error, DETECTOR.prior.error_quantile));
                calibration.absorb(error);
            }
        };
        bencher.iter_batched_ref(|| calibration.clone(), score_all, BatchSize::SmallInput);
    });
    group.bench_function("episode", |bencher| {
        let step_all = |episode: &mut Episode| {
            for reading in series {
                let at_ms = reading.timestamp_ms();
                let moment = Moment { at_ms, silent_ms: None, score: 0.5, channel: None };
                let step = episode.decide(moment);
                episode.enter(moment, black_box(step));
            }
        };
        bencher.iter_batched_ref(Episode::default, step_all, BatchSize::SmallInput);
    });
    group.finish();
}

fn print_sizes(device: &Device) {
    let mut encoded = Vec::new();
    device.encode(&mut encoded);
    let in_memory = size_of::<Device>();
    println!("a device's state: {in_memory} bytes in memory, {} bytes in a snapshot", encoded.len());
}

criterion_group!(benches, judge_benchmark);
criterion_main!(benches);
