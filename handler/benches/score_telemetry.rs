//! From a request's body to the answer's body, with the model in `model/`: the whole hot path but the socket.
//!
//! `iot_hub` has the properties that IoT Hub stamps, about 1 KB an event; `bare` has what an event hub adds.
//! 512 devices are past their warm-up, so every reading is scored.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

#[path = "../tests/app/envelope.rs"]
mod envelope;
#[path = "../tests/app/script_root.rs"]
mod script_root;
mod storage;

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use envelope::{Envelope, Sent};
use handler::app::App;
use handler::functions::score_telemetry::score;
use handler::scoring::Storage;
use handler::scoring::stored::StoredFacts;
use handler::settings::Settings;
use handler::store::Store;
use serde_json::json;
use storage::LastAnswer;
use tokio::runtime::{Builder, Runtime};
use wire::invocation::Answer;

const BATCH_SIZES: [usize; 4] = [1, 16, 128, 512];
const N_DEVICES: i64 = 512;
/// Longer than a benchmark takes.
const LONG: Duration = Duration::from_secs(3600);
const START_MS: i64 = 1_767_000_000_000;

/// The handler, and a host that stores what it answers.
struct Line {
    app: App,
    facts: Arc<LastAnswer>,
    runtime: Runtime,
    n_before: i64,
    unstored: Vec<Answer>,
}

impl Line {
    fn new() -> Self {
        let facts = Arc::<LastAnswer>::default();
        let runtime = Builder::new_current_thread().enable_time().build().expect("runtime");
        Self { app: app(Arc::<LastAnswer>::clone(&facts)), facts, runtime, n_before: 0, unstored: Vec::new() }
    }

    /// The next batch; what was answered before it is stored.
    fn batch(&mut self, n_events: usize, from_iot_hub: bool) -> Vec<u8> {
        for answer in self.unstored.drain(..) {
            self.facts.store(answer.body());
        }
        let body = batch(self.n_before, n_events, from_iot_hub);
        self.n_before += i64::try_from(n_events).expect("a batch");
        body
    }

    fn score(&mut self, body: &[u8]) {
        let scoring = score(&self.app, "bench", body, Instant::now() + LONG);
        self.unstored.push(self.runtime.block_on(scoring).expect("scored").0);
    }
}

fn app(facts: Arc<dyn StoredFacts>) -> App {
    let root = script_root::with_model();
    let variables = HashMap::from([
        ("FUNCTIONS_APP_ROOT_PATH", root.path().to_string_lossy().into_owned()),
        ("CosmosDBConnection", "AccountEndpoint=http://127.0.0.1:1/;AccountKey=a2V5;".to_owned()),
        ("BUCKETS_PER_PARTITION", std::env::var("BUCKETS_PER_PARTITION").unwrap_or_else(|_| "16".to_owned())),
    ]);
    let settings = Settings::read(&|name| variables.get(name).cloned()).expect("settings");
    let store = Arc::new(Store::new(settings.cosmos.clone(), settings.deadline));
    App::build_on(settings, store, Storage { facts, snapshots: None, journals: None }).expect("app")
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
                let line = warm.get_or_insert_with(|| RefCell::new(warm_line(n_events, from_iot_hub, kind)));
                bencher.iter_batched(
                    || line.borrow_mut().batch(n_events, from_iot_hub),
                    |body| line.borrow_mut().score(black_box(&body)),
                    // The host stores each answer before it sends the next batch.
                    BatchSize::PerIteration,
                );
            });
        }
        group.finish();
    }
}

/// A line whose devices are past their warm-up.
fn warm_line(n_events: usize, from_iot_hub: bool, kind: &str) -> Line {
    let mut line = Line::new();
    for _ in 0..300 {
        let body = line.batch(512, from_iot_hub);
        line.score(&body);
    }
    report(&mut line, n_events, from_iot_hub, kind);
    line
}

/// Prints what an event costs to store.
fn report(line: &mut Line, n_events: usize, from_iot_hub: bool, kind: &str) {
    let (mut bytes_in, mut bytes_out, mut upserts) = (0, 0, 0);
    let n_batches = 64;
    for _ in 0..n_batches {
        let body = line.batch(n_events, from_iot_hub);
        line.score(&body);
        let answer = line.unstored.last().expect("an answer").body();
        bytes_in += body.len();
        bytes_out += answer.len();
        upserts += answer.windows(9).filter(|window| window == b"\"bucket\":").count();
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
