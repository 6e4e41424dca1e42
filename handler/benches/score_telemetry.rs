//! From a request's body to the answer's body, with the model in `model/`: the whole hot path but the socket.
//!
//! `iot_hub` has the properties that IoT Hub stamps, about 1 KB an event; `bare` has what an event hub adds.
//! 512 devices are past their warm-up, so every reading is scored.

#![expect(clippy::expect_used, clippy::cast_possible_wrap, reason = "a benchmark may panic")]

#[path = "../tests/app/envelope.rs"]
mod envelope;
#[path = "../tests/app/script_root.rs"]
mod script_root;

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use envelope::{Envelope, Sent};
use handler::app::App;
use handler::functions::score_telemetry::score;
use handler::settings::Settings;
use serde_json::json;
use wire::position::Stream;

const BATCH_SIZES: [usize; 4] = [1, 16, 128, 512];
const N_DEVICES: i64 = 512;
/// Longer than a benchmark takes.
const LONG: Duration = Duration::from_secs(3600);
const START_MS: i64 = 1_767_000_000_000;

fn app() -> App {
    let root = script_root::with_model();
    let variables = HashMap::from([
        ("FUNCTIONS_APP_ROOT_PATH", root.path().to_string_lossy().into_owned()),
        ("CosmosDBConnection", "AccountEndpoint=http://127.0.0.1:1/;AccountKey=a2V5;".to_owned()),
        ("BUCKETS_PER_PARTITION", std::env::var("BUCKETS_PER_PARTITION").unwrap_or_else(|_| "16".to_owned())),
    ]);
    let settings = Settings::read(&|name| variables.get(name).cloned()).expect("settings");
    let app = App::build(settings).expect("app");
    let stream = Stream {
        namespace: "ns.example".to_owned(),
        hub: "telemetry".to_owned(),
        partition: "0".to_owned(),
        epoch: 0,
    };
    app.scorer.open(stream, Vec::new());
    app
}

/// The batch of `n_events` that follows `n_before` events.
fn batch(n_before: i64, n_events: usize, from_iot_hub: bool) -> Vec<u8> {
    let event = |n: i64| {
        let device_id = format!("device-{:04}", n % N_DEVICES);
        let timestamp = jiff::Timestamp::from_millisecond(START_MS + n / N_DEVICES * 60_000).expect("time");
        let celsius = 20.0 + ((n * 37) % 23) as f64 / 10.0;
        let text = json!({
            "deviceId": device_id, "temperature": celsius, "timestamp": timestamp.to_string(),
            "messageId": format!("m-{n}")
        });
        Sent { text: text.to_string(), device_id: from_iot_hub.then_some(device_id) }
    };
    let end = n_before + i64::try_from(n_events).expect("a batch");
    let mut envelope = Envelope::new(n_before, (n_before..end).map(event).collect());
    envelope.enqueued_ms = START_MS + end / N_DEVICES * 60_000 + 1000;
    envelope.body()
}

fn score_telemetry(criterion: &mut Criterion) {
    for (kind, from_iot_hub) in [("iot_hub", true), ("bare", false)] {
        let mut group = criterion.benchmark_group(format!("score_telemetry/{kind}"));
        for n_events in BATCH_SIZES {
            let mut warm = None;
            group.throughput(Throughput::Elements(n_events as u64));
            group.bench_function(BenchmarkId::from_parameter(n_events), |bencher| {
                // Made here, so that a filter skips what it leaves out.
                let (app, n_before) = warm.get_or_insert_with(|| warm_app(n_events, from_iot_hub, kind));
                let until = Instant::now() + LONG;
                bencher.iter_batched(
                    || {
                        let body = batch(*n_before, n_events, from_iot_hub);
                        *n_before += n_events as i64;
                        body
                    },
                    |body| score(app, "bench", black_box(&body), until).expect("scored"),
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();
    }
}

/// An app whose devices are past their warm-up, and how many events it has seen.
fn warm_app(n_events: usize, from_iot_hub: bool, kind: &str) -> (App, i64) {
    let app = app();
    let mut n_before = 0;
    for _ in 0..300 {
        let body = batch(n_before, 512, from_iot_hub);
        score(&app, "warm-up", &body, Instant::now() + LONG).expect("scored");
        n_before += 512;
    }
    report(&app, &mut n_before, n_events, from_iot_hub, kind);
    (app, n_before)
}

/// Prints what an event costs to store.
fn report(app: &App, n_before: &mut i64, n_events: usize, from_iot_hub: bool, kind: &str) {
    let (mut bytes_in, mut bytes_out, mut upserts) = (0, 0, 0);
    let n_batches = 64;
    for _ in 0..n_batches {
        let body = batch(*n_before, n_events, from_iot_hub);
        *n_before += n_events as i64;
        let (answer, _) = score(app, "report", &body, Instant::now() + LONG).expect("scored");
        bytes_in += body.len();
        bytes_out += answer.body().len();
        upserts += answer.body().windows(9).filter(|window| window == b"\"bucket\":").count();
    }
    let n = (n_batches * n_events) as f64;
    println!(
        "{kind}/{n_events}: {:.0} bytes in, {:.1} bytes out, {:.4} upserts an event",
        bytes_in as f64 / n,
        bytes_out as f64 / n,
        upserts as f64 / n
    );
}

criterion_group!(benches, score_telemetry);
criterion_main!(benches);
