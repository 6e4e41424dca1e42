//! A million devices in one hub partition: memory, the size and time of a snapshot, and how long recovery takes from
//! one and by replay.
//!
//!     cargo bench -p handler --bench million_devices [-- DEVICES]
//!
//! The states are those of a thousand devices after 40 readings each, under a million names; replay reads a million
//! readings of as many devices.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

#[path = "../tests/app/envelope.rs"]
mod envelope;
mod kept;
#[path = "../tests/app/script_root.rs"]
mod script_root;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use envelope::{Envelope, Sent};
use handler::app::App;
use handler::functions::score_telemetry::score;
use handler::scoring::stored::{SnapshotStore, StoredFacts};
use handler::scoring::{NewSnapshot, Storage};
use handler::settings::Settings;
use handler::store::Store;
use kept::{Answers, Shelf};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use wire::snapshot::{Snapshot, SnapshotWriter};

const LONG: Duration = Duration::from_secs(3600);
/// Longer than the pause between two snapshots.
const UNTIL_SNAPSHOT: Duration = Duration::from_secs(31);
const START_MS: i64 = 1_767_000_000_000;
const BATCH: i64 = 512;
const TEMPLATES: i64 = 1000;
const READINGS: i64 = 40;

struct Bench {
    runtime: Runtime,
    n_devices: i64,
}

fn main() {
    let n_devices = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(1_000_000);
    let bench =
        Bench { runtime: Builder::new_current_thread().enable_time().build().expect("runtime"), n_devices };
    bench.with_snapshot();
    bench.by_replay();
}

impl Bench {
    fn with_snapshot(&self) {
        let shelf = Arc::<Shelf>::default();
        let next = self.shelve_states(&shelf);
        let app = app(Arc::<Answers>::default(), Some(Arc::<Shelf>::clone(&shelf)));
        let before_kb = resident_kb();
        let (took, snapshot) = self.call(&app, next, 1, TEMPLATES, None);
        let n_bytes = snapshot.expect("one is due at the start").n_bytes();
        let n = self.n_devices;
        println!("snapshot of {n} devices: {n_bytes} bytes, {} a device", n_bytes as f64 / n as f64);
        println!("  read and written again in the first call: {took:.2?}");
        println!("  resident memory: {} bytes a device", (resident_kb() - before_kb) * 1024 / n);
        std::thread::sleep(UNTIL_SNAPSHOT);
        // Its storage never has the answer before, so only a repeat leaves all of the state known to be stored.
        let (took, snapshot) = self.call(&app, next, 1, TEMPLATES, None);
        println!("  written alone: {took:.2?} (due: {})", snapshot.is_some());
    }

    /// Puts a snapshot of all devices on the shelf; returns the sequence number after it.
    fn shelve_states(&self, shelf: &Arc<Shelf>) -> i64 {
        let answers = Arc::<Answers>::default();
        let first = app(Arc::<Answers>::clone(&answers), None);
        let n_events = TEMPLATES * READINGS;
        for from in (0..n_events).step_by(500) {
            self.call(&first, from, 500, TEMPLATES, Some(&answers));
        }
        let second = app(answers, Some(Arc::<Shelf>::clone(shelf)));
        let (_, snapshot) = self.call(&second, n_events, 1, TEMPLATES, None);
        let store: Arc<dyn SnapshotStore> = Arc::<Shelf>::clone(shelf);
        self.runtime.block_on(snapshot.expect("one is due at the start").keep(&store)).expect("kept");
        shelf.replace_each(|bytes| multiplied(bytes, self.n_devices));
        n_events
    }

    fn by_replay(&self) {
        let answers = Arc::<Answers>::default();
        let first = app(Arc::<Answers>::clone(&answers), None);
        for from in (0..self.n_devices).step_by(500) {
            self.call(&first, from, 500, self.n_devices, Some(&answers));
        }
        let second = app(answers, None);
        let (took, _) = self.call(&second, self.n_devices, 1, self.n_devices, None);
        let rate = self.n_devices as f64 / took.as_secs_f64();
        println!("replay of {} readings of as many devices: {took:.2?}, {rate:.0} a second", self.n_devices);
    }

    /// Scores `n` events from a sequence number on; what is answered is stored if there is a place for it.
    fn call(
        &self,
        app: &App,
        from: i64,
        n: i64,
        n_devices: i64,
        store: Option<&Answers>,
    ) -> (Duration, Option<NewSnapshot>) {
        let body = batch(from, n.min(BATCH), n_devices);
        let began = Instant::now();
        let scoring = score(app, "bench", &body, began + LONG);
        let (answer, _, snapshot) = self.runtime.block_on(scoring).expect("scored");
        let took = began.elapsed();
        if let Some(store) = store {
            store.add(answer.body());
        }
        (took, snapshot)
    }
}

fn app(facts: Arc<dyn StoredFacts>, shelf: Option<Arc<Shelf>>) -> App {
    let root = script_root::with_model();
    let variables = HashMap::from([
        ("FUNCTIONS_APP_ROOT_PATH", root.path().to_string_lossy().into_owned()),
        ("CosmosDBConnection", "AccountEndpoint=http://127.0.0.1:1/;AccountKey=a2V5;".to_owned()),
    ]);
    let settings = Settings::read(&|name| variables.get(name).cloned()).expect("settings");
    let store = Arc::new(Store::new(settings.cosmos.clone(), settings.deadline));
    let snapshots = shelf.map(|shelf| -> Arc<dyn SnapshotStore> { shelf });
    App::build_on(settings, store, Storage { facts, snapshots, journals: None }).expect("app")
}

fn batch(from: i64, n: i64, n_devices: i64) -> Vec<u8> {
    let event = |sequence: i64| {
        let minutes = sequence / n_devices;
        let celsius = 20.0 + ((sequence * 37) % 23) as f64 / 10.0;
        let text = json!({
            "deviceId": name_of(sequence % n_devices), "temperature": celsius,
            "timestamp": START_MS + minutes * 60_000
        });
        Sent { text: text.to_string(), device_id: None }
    };
    let mut envelope = Envelope::new(from, (from..from + n).map(event).collect());
    envelope.enqueued_ms = START_MS + (from + n) / n_devices * 60_000 + 1000;
    envelope.body()
}

fn name_of(device: i64) -> String {
    format!("device-{device:07}")
}

/// The states of a snapshot in turn, under as many names as there are to be devices.
fn multiplied(bytes: &[u8], n_devices: i64) -> Vec<u8> {
    let snapshot = Snapshot::read(bytes).expect("a snapshot");
    let devices = snapshot.devices().expect("devices");
    let mut writer = SnapshotWriter::new(&snapshot.header).expect("a header");
    for (device, (_, state)) in (0..n_devices).zip(devices.iter().cycle()) {
        writer.add(&name_of(device), |out| out.extend_from_slice(state));
    }
    writer.finish()
}

/// Resident memory of this process; 0 where the system does not say.
fn resident_kb() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
