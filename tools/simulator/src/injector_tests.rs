use super::*;
use crate::{DAY_MS, Family, MINUTE_MS, series};

const START: i64 = 1_767_225_600_000;
const SCALE: Scale = Scale { range: 2.0, noise: 0.1, quantum: 0.0 };

/// A clean stretch that swings by a degree each hour, and the same with a fault after two days.
fn faulty(kind: FaultKind, magnitude: f64, duration_ms: i64) -> (Vec<f64>, Vec<Option<Sample>>) {
    let clean: Vec<Sample> = (0..4 * 1440)
        .map(|minute| Sample {
            timestamp_ms: START + minute * MINUTE_MS,
            celsius: 20.0 + libm::sin(core::f64::consts::TAU * minute as f64 / 60.0),
            fault: None,
        })
        .collect();
    let mut injector = Injector::new(SCALE, 1);
    injector.add(Fault::new(kind, START + 2 * DAY_MS, magnitude).lasting(duration_ms));
    let sent = clean.iter().map(|sample| injector.apply(*sample)).collect();
    (clean.iter().map(|sample| sample.celsius).collect(), sent)
}

const AT: usize = 2 * 1440;

fn offsets(kind: FaultKind, magnitude: f64, duration_ms: i64) -> Vec<f64> {
    let (clean, sent) = faulty(kind, magnitude, duration_ms);
    clean.iter().zip(sent).map(|(clean, sent)| sent.unwrap().celsius - clean).collect()
}

fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 0.002, "{value}, not {expected}");
}

#[test]
fn only_the_faulty_stretch_is_labelled() {
    for kind in FaultKind::ALL {
        let (_, sent) = faulty(kind, kind.strong_magnitude(), HOUR_MS);
        let labelled: Vec<usize> =
            (0..sent.len()).filter(|i| sent[*i].is_some_and(|sample| sample.fault.is_some())).collect();
        if kind == FaultKind::Dropout {
            assert!(labelled.is_empty());
            assert!(sent[AT..AT + 60].iter().all(Option::is_none) && sent[AT + 60].is_some());
        } else {
            assert_eq!(labelled, (AT..AT + 60).collect::<Vec<_>>(), "{kind}");
        }
    }
}

#[test]
fn a_spike_is_one_reading_and_an_error_code_three() {
    let spike = offsets(FaultKind::Spike, -1.5, 0);
    near(spike[AT], -3.0);
    near(spike[AT + 1], 0.0);
    let (_, sent) = faulty(FaultKind::Range, -127.0, 0);
    let codes = sent.iter().flatten().filter(|sample| sample.celsius == -127.0).count();
    assert_eq!(codes, 3);
}

#[test]
fn a_shift_is_constant_and_a_drift_grows() {
    let shift = offsets(FaultKind::Shift, 0.5, HOUR_MS);
    near(shift[AT - 1], 0.0);
    near(shift[AT], 1.0);
    near(shift[AT + 59], 1.0);
    near(shift[AT + 60], 0.0);
    let drift = offsets(FaultKind::Drift, 1.0, 100 * MINUTE_MS);
    near(drift[AT], 0.0);
    near(drift[AT + 40], 1.0);
    near(drift[AT + 80], 2.0);
    near(drift[AT + 99], 2.0);
}

#[test]
fn a_stuck_sensor_repeats_its_last_value() {
    let (_, sent) = faulty(FaultKind::Stuck, 0.0, HOUR_MS);
    let last = sent[AT - 1].unwrap().celsius;
    assert!(sent[AT..AT + 60].iter().flatten().all(|sample| sample.celsius == last));
    assert_ne!(sent[AT + 60].unwrap().celsius, last);
}

#[test]
fn bursts_hit_both_ways_and_spare_about_half() {
    let burst = offsets(FaultKind::Burst, 1.0, 200 * MINUTE_MS);
    let hit = &burst[AT..AT + 200];
    let up = hit.iter().filter(|offset| **offset > 1.0).count();
    let down = hit.iter().filter(|offset| **offset < -1.0).count();
    assert!(hit[0].abs() > 1.0);
    assert!((25..=75).contains(&up) && (25..=75).contains(&down), "{up} up, {down} down");
}

#[test]
fn noise_is_a_multiple_of_the_device_s_own() {
    let noise = offsets(FaultKind::Noise, 8.0, 600 * MINUTE_MS);
    let power: f64 = noise[AT..AT + 600].iter().map(|offset| offset * offset).sum();
    let spread = libm::sqrt(power / 600.0);
    assert!((0.7..0.9).contains(&spread), "{spread}");
}

#[test]
fn gain_swings_around_the_day_s_mean() {
    let (_, flat) = faulty(FaultKind::Gain, 0.0, HOUR_MS);
    assert!(flat[AT..AT + 60].iter().flatten().all(|sample| (sample.celsius - 20.0).abs() < 0.01));
    let (clean, doubled) = faulty(FaultKind::Gain, 2.0, HOUR_MS);
    near(doubled[AT + 15].unwrap().celsius - 20.0, 2.0 * (clean[AT + 15] - 20.0));
}

#[test]
fn a_leak_warms_and_recovers() {
    let leak = offsets(FaultKind::Leak, 1.0, 180 * MINUTE_MS);
    near(leak[AT], 0.0);
    near(leak[AT + 60], 2.0 * (1.0 - libm::exp(-1.0)));
    assert!(leak[AT + 179] > 1.85);
    near(leak[AT + 240], 2.0 * (1.0 - libm::exp(-3.0)) * libm::exp(-1.0));
    near(leak[AT + 700], 0.0);
}

#[test]
fn without_its_plant_a_device_stops_cycling_and_warms() {
    let (_, sent) = faulty(FaultKind::PlantOff, 1.0, 12 * HOUR_MS);
    let values: Vec<f64> = sent[AT..AT + 720].iter().flatten().map(|sample| sample.celsius).collect();
    assert!(values[719] - values[0] > 1.4, "{} to {}", values[0], values[719]);
    let largest_step = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
    assert!(largest_step < 0.03, "{largest_step}");
}

#[test]
fn faulty_values_keep_the_sensor_s_resolution() {
    let mut injector = Injector::new(Scale { range: 3.3, noise: 0.2, quantum: 0.5 }, 1);
    injector.add(Fault::new(FaultKind::Noise, START, 4.0));
    for minute in 0..100 {
        let clean = Sample { timestamp_ms: START + minute * MINUTE_MS, celsius: 21.5, fault: None };
        let sent = injector.apply(clean).unwrap();
        assert_eq!((sent.celsius * 2.0).fract(), 0.0);
    }
}

#[test]
fn injecting_into_a_finished_series_takes_its_own_range() {
    let mut samples: Vec<Sample> = series(Family::Room, 5, START, 5 * MINUTE_MS).take(2016).collect();
    let clean = samples.clone();
    let values: Vec<f64> = clean[..302].iter().map(|sample| sample.celsius).collect();
    let range = Scale::of(&values).range;
    inject(&mut samples, &[Fault::new(FaultKind::Shift, clean[1000].timestamp_ms, 1.0)], 1);
    assert_eq!(samples.len(), clean.len());
    near(samples[1000].celsius - clean[1000].celsius, range);
    assert_eq!(samples.iter().filter(|sample| sample.fault.is_some()).count(), 288);
}

#[test]
fn a_fault_that_began_is_reported_once_with_its_first_reading() {
    let mut injector = Injector::new(SCALE, 1);
    injector.add(Fault::new(FaultKind::Dropout, START + 30_000, 0.0));
    for minute in 0..3 {
        injector.apply(Sample { timestamp_ms: START + minute * MINUTE_MS, celsius: 20.0, fault: None });
    }
    let started = injector.take_started();
    assert_eq!(started.len(), 1);
    assert_eq!(started[0].start_ms, START + MINUTE_MS);
    assert!(injector.take_started().is_empty());
}

#[test]
fn nothing_to_measure_still_gives_a_usable_scale() {
    for values in [&[][..], &[3.0][..], &[3.0; 50][..]] {
        let scale = Scale::of(values);
        assert!(scale.range > 0.0 && scale.noise > 0.0, "{values:?}: {scale:?}");
    }
}
