//! A hub partition, two hosts with a process each, storage, and everything that can go wrong between them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use detector::{Detector, Policy, Prior};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use wire::documents::{REJECTS, RESULTS};
use wire::invocation::RawObject;

use super::super::batch::Batch;
use super::super::documents::WriterIdentity;
use super::super::mutants::{self, Mutant};
use super::super::stored::{SnapshotStore, StoredFacts, Stretch};
use super::super::{ScoreError, Scored, Scorer, Storage};
use super::alerts::check_copies;
use super::facts::{Key, facts, fold, states, stretch};
use super::memory::{Blobs, Container};
use super::stream::{Course, Dice, HOUR_MS, MeanModel, START_MS};
use crate::settings::Limits;

pub(super) const N_BUCKETS: u32 = 3;
/// A day: devices that are silent for half of it are forgotten.
pub(super) const TTL_S: i64 = 86_400;
/// What was written so long ago every read sees, and what was to be written so long ago never is; in truth it is minutes.
const LONGEST_LAG_MS: i64 = TTL_S * 250;
const LONG: Duration = Duration::from_secs(600);
/// Longest batch.
const MAX_BATCH: usize = 12;
/// Attempts of one batch within which every fault of storage has ended, or was accepted as a loss: each of some
/// processes that are killed one after the other needs ten.
const MAX_ATTEMPTS: u32 = 60;
/// Attempts of one batch after which no process is killed any more.
const LAST_KILL: u32 = 40;

/// Faults of a schedule beside those of its stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    /// Anything goes wrong at all.
    pub(super) any: bool,
    /// Models differ between processes.
    pub(super) redeploys: bool,
    /// The host gives up batches, and processes stay alive.
    pub(super) gives_up: bool,
    /// There is a second owner.
    pub(super) moves: bool,
    /// Old documents are deleted.
    pub(super) expires: bool,
    /// Snapshots are kept.
    pub(super) snapshots: bool,
}

/// A batch that failed and will come again.
#[derive(Debug, Clone, Copy)]
struct Again {
    length: usize,
    count: u32,
}

/// Documents that are still on their way although nobody waits for them.
#[derive(Debug)]
struct Late {
    documents: VecDeque<Value>,
    since_ms: i64,
}

pub(super) struct World {
    pub(super) course: Course,
    pub(super) dice: Dice,
    pub(super) container: Arc<Container>,
    blobs: Arc<Blobs>,
    faults: Faults,
    detector: Detector,
    hub: usize,
    /// Index of the next event to be delivered.
    next: usize,
    /// Index that a new owner starts from.
    checkpoint: usize,
    again: Option<Again>,
    processes: [Option<Scorer<MeanModel>>; 2],
    runtime: Runtime,
    owner: usize,
    late: Vec<Late>,
    /// Whether documents have landed that may overrule what a process has read back, and kept in a snapshot: late ones,
    /// and those of two calls at once.
    is_overtaken: bool,
    n_processes: u32,
    /// A batch was given up, and its documents are not stored yet.
    is_fragile: bool,
    /// Places of facts that are deleted.
    pub(super) expired: BTreeSet<Key>,
    now_ms: i64,
    is_traced: bool,
    /// The hub whose documents lagging reads see some of.
    remembered_of: Option<usize>,
    remembered_ms: i64,
    /// What an undisturbed run stores, by hub, and where facts are.
    reference: Vec<Stretch>,
    places: Vec<Key>,
}

/// How the host's part of an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Success,
    Failure,
    /// The handler is killed after `functionTimeout`; what is left is stored later.
    Abandoned,
    HostCrash,
    HandlerCrash,
    Moved,
    AnswerLost,
    GivenUp,
}

impl World {
    pub(super) fn new(
        seed: u64,
        course: Course,
        container: Arc<Container>,
        faults: Faults,
        detector: Detector,
    ) -> Self {
        Self {
            course,
            dice: Dice::new(seed ^ 0x5eed),
            container,
            blobs: Arc::default(),
            faults,
            detector,
            hub: 0,
            next: 0,
            checkpoint: 0,
            again: None,
            processes: [None, None],
            runtime: Builder::new_current_thread().enable_time().build().expect("a runtime"),
            owner: 0,
            late: Vec::new(),
            is_overtaken: false,
            n_processes: 0,
            is_fragile: false,
            expired: BTreeSet::new(),
            now_ms: START_MS,
            remembered_of: None,
            remembered_ms: START_MS,
            is_traced: std::env::var_os("TRACE").is_some(),
            reference: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Compares every state with what an undisturbed run has stored.
    pub(super) fn compare_with(&mut self, documents: &[Value]) {
        self.places = facts(documents, &self.course.stream).into_keys().collect();
        let epochs = 0..u32::try_from(self.course.hubs.len()).unwrap_or(0);
        self.reference = epochs.map(|epoch| stretch(documents, &self.course.stream, epoch)).collect();
    }

    /// Plays until everything is processed, then ends all faults and lets the last documents land.
    pub(super) fn play(&mut self) -> Result<(), String> {
        for hub in 0..self.course.hubs.len() {
            (self.hub, self.next, self.checkpoint, self.again) = (hub, 0, 0, None);
            // A process that stopped at just the number where it is asked to go on cannot tell one hub from the other.
            self.processes[1 - self.owner] = None;
            while self.next < self.n_events() {
                if self.faults.any {
                    self.stir();
                }
                self.attempt()?;
            }
            self.calm();
            self.finish()?;
        }
        Ok(())
    }

    fn n_events(&self) -> usize {
        self.course.hubs[self.hub].events.len()
    }

    /// After the end of a hub's events everything stored must be found by a new process, within a few attempts.
    fn finish(&mut self) -> Result<(), String> {
        while self.late.iter().any(|late| !late.documents.is_empty()) {
            self.land();
        }
        self.processes = [None, None];
        // The last batch again: a new process must find that nothing is left to do.
        let (first, length) = (self.n_events().saturating_sub(3), 3.min(self.n_events()));
        for count in 0..MAX_ATTEMPTS {
            match self.call(self.owner, first, length, count) {
                Ok(scored) => {
                    for document in &scored.documents {
                        self.upsert(document);
                    }
                    return self.check(self.owner);
                }
                Err(ScoreError::Hole { .. }) => {}
                Err(error) => return Err(format!("the end is not reached: {error}")),
            }
        }
        Err("the end is not reached".to_owned())
    }

    /// Ends all faults of storage.
    fn calm(&mut self) {
        self.container.heal();
        self.blobs.set_away(false);
    }

    /// Lets something happen beside the batches.
    fn stir(&mut self) {
        if self.dice.one_in(3) {
            self.land();
        }
        match self.dice.below(30) {
            0 => self.lag(),
            1 => self.container.fail(1 + self.dice.below(2)),
            2 => self.blobs.set_away(true),
            3 => self.blobs.set_away(false),
            _ => {}
        }
        if self.faults.expires && self.is_within_retention() && self.dice.one_in(3) {
            self.expire();
        }
    }

    /// Whether the hub still has what may be delivered again: it keeps events for less than a quarter of documents' life,
    /// by the hour in which devices are forgotten.
    fn is_within_retention(&self) -> bool {
        let oldest =
            self.course.hubs[self.hub].events[self.checkpoint..].iter().find_map(|event| event.enqueued_ms);
        oldest.is_none_or(|ms| ms > self.now_ms - TTL_S * 250 + HOUR_MS)
    }

    fn expire(&mut self) {
        let old = self.container.expire(self.now_ms);
        self.tell(&format!("{} documents are deleted", old.len()));
        self.expired.extend(facts(&old, &self.course.stream).into_keys());
    }

    /// Has the next reads lag: but not for as long as a batch is tried again and again, nor so far that all of a
    /// stream is unseen.
    fn lag(&mut self) {
        if self.again.is_none() && self.remembered_of == Some(self.hub) {
            self.container.lag(1 + self.dice.below(12));
        }
    }

    /// Lets a late document land.
    fn land(&mut self) {
        let now_ms = self.now_ms;
        self.late.retain(|late| !late.documents.is_empty() && now_ms - late.since_ms <= LONGEST_LAG_MS);
        if self.late.is_empty() {
            return;
        }
        let which = self.dice.below(self.late.len());
        self.is_overtaken = true;
        if let Some(document) = self.late[which].documents.pop_front() {
            self.put(document);
        }
    }

    fn upsert(&mut self, document: &RawObject) {
        self.put(serde_json::from_str(document.json()).expect("documents are JSON"));
    }

    fn put(&mut self, mut document: Value) {
        if mutants::is(Mutant::RoundsLate) {
            round(&mut document["readings"]);
        }
        // As the service does, though in milliseconds: a document's time to live begins when it is written.
        document["_ts"] = self.now_ms.into();
        self.container.upsert(document);
    }

    fn process(&mut self, instance: usize) -> &Scorer<MeanModel> {
        if self.processes[instance].is_none() {
            self.n_processes += 1;
            let redeployed = self.faults.redeploys && self.dice.one_in(2);
            let model = MeanModel(if redeployed { 0.9 } else { 1.0 });
            self.processes[instance] = Some(self.scorer(model, limits(redeployed)));
            if self.faults.any && self.dice.one_in(2) {
                self.lag();
            }
        }
        self.processes[instance].as_ref().expect("just started")
    }

    fn scorer(&mut self, model: MeanModel, limits: Arc<Limits>) -> Scorer<MeanModel> {
        let facts: Arc<dyn StoredFacts> = Arc::<Container>::clone(&self.container);
        let blobs: Arc<dyn SnapshotStore> = Arc::<Blobs>::clone(&self.blobs);
        Scorer {
            detector: self.detector,
            identity: WriterIdentity {
                // Names of processes are random: their order says nothing.
                writer: format!("{:02}-{}", self.dice.below(100), self.n_processes),
                rules: format!("{:.1}", model.0),
                ttl_s: TTL_S,
            },
            model,
            n_buckets: N_BUCKETS,
            limits,
            storage: Storage { facts, snapshots: self.faults.snapshots.then_some(blobs), journals: None },
            snapshot_interval: Duration::ZERO,
            slots: std::sync::Mutex::default(),
        }
    }

    fn call(
        &mut self,
        instance: usize,
        first: usize,
        length: usize,
        count: u32,
    ) -> Result<Scored, ScoreError> {
        let events = self.course.hubs[self.hub].events[first..first + length].to_vec();
        self.now_ms = events.iter().filter_map(|event| event.enqueued_ms).fold(self.now_ms, i64::max);
        let stream = self.course.stream.clone();
        self.process(instance);
        if self.now_ms - self.remembered_ms > LONGEST_LAG_MS {
            self.container.lag(0);
        }
        let process = self.processes[instance].as_ref().expect("started");
        mutants::set_rules(f64::from(process.model.0));
        let batch = Batch::new(&events)?;
        let mut scored =
            self.runtime.block_on(process.score_batch(stream, &batch, count, Instant::now() + LONG))?;
        if let Some(snapshot) = scored.snapshot.take()
            && self.dice.below(3) > 0
        {
            let snapshot = if self.dice.one_in(8) { snapshot.torn() } else { snapshot };
            let store: Arc<dyn SnapshotStore> = Arc::<Blobs>::clone(&self.blobs);
            // A snapshot that cannot be kept costs time alone.
            let _ = self.runtime.block_on(snapshot.keep(&store));
        }
        Ok(scored)
    }

    /// One attempt of the next batch, with whatever happens to it.
    fn attempt(&mut self) -> Result<(), String> {
        let left = self.n_events() - self.next;
        let again = self.again;
        let length = again.map_or_else(|| 1 + self.dice.below(MAX_BATCH), |again| again.length).min(left);
        let count = again.map_or(0, |again| again.count);
        let first = self.next;
        let scored = match self.call(self.owner, first, length, count) {
            Ok(scored) => scored,
            Err(error @ (ScoreError::Hole { .. } | ScoreError::Store(_) | ScoreError::Outdated))
                if count < MAX_ATTEMPTS =>
            {
                self.tell(&format!("{first}+{length} retry {count}: {error}"));
                self.again = Some(Again { length, count: count + 1 });
                // Faults of storage do not last for ten retries.
                if count > 6 {
                    self.calm();
                }
                return Ok(());
            }
            Err(error) => return Err(format!("batch {first}+{length}, retry {count}: {error}")),
        };
        self.check(self.owner)?;
        let twice = self.faults.any && count == 0 && !self.is_fragile && self.dice.one_in(25);
        let documents = if twice { self.call_twice(first, length, &scored)? } else { values(&scored) };
        let end = self.end(count, first + length < self.n_events());
        self.carry_out(end, documents, first, length, count);
        Ok(())
    }

    /// The host delivers one batch in two calls at once; their documents mix.
    fn call_twice(
        &mut self,
        first: usize,
        length: usize,
        scored: &Scored,
    ) -> Result<VecDeque<Value>, String> {
        let mut one = values(scored);
        // The second call may find stored what the first one decides by other rules, and goes on from that.
        self.is_overtaken = true;
        let Ok(second) = self.call(self.owner, first, length, 0) else { return Ok(one) };
        let mut other = values(&second);
        let mut mixed = VecDeque::new();
        while !one.is_empty() || !other.is_empty() {
            let from = if self.dice.one_in(2) { &mut one } else { &mut other };
            mixed.extend(from.pop_front());
        }
        Ok(mixed)
    }

    fn end(&mut self, count: u32, more_follows: bool) -> End {
        // Who is killed again and again gets nowhere; once that ends, a batch must come through.
        if !self.faults.any || count > LAST_KILL {
            return End::Success;
        }
        if self.is_fragile {
            return if self.dice.one_in(3) { End::Failure } else { End::Success };
        }
        match self.dice.below(24) {
            0..=2 => End::Failure,
            3 | 4 => End::Abandoned,
            5 | 6 => End::HostCrash,
            7 => End::HandlerCrash,
            8..=10 if self.faults.moves => End::Moved,
            11 => End::AnswerLost,
            12 | 13 if self.faults.gives_up && more_follows => End::GivenUp,
            _ => End::Success,
        }
    }

    /// With `TRACE` set, a schedule tells what happens.
    fn tell(&self, what: &str) {
        if self.is_traced && self.faults.any {
            println!("owner {} {what}", self.owner);
        }
    }

    fn carry_out(
        &mut self,
        end: End,
        mut documents: VecDeque<Value>,
        first: usize,
        length: usize,
        count: u32,
    ) {
        let n_written = match end {
            End::Success | End::AnswerLost => documents.len(),
            _ => self.dice.below(documents.len() + 1),
        };
        self.tell(&format!(
            "{first}+{length} retry {count}: {end:?}, {n_written} of {} written",
            documents.len()
        ));
        for document in documents.drain(..n_written) {
            // A stream of which nothing is seen yet is a new one; a gap lies behind what it follows.
            let is_fact = document["type"] == RESULTS || document["type"] == REJECTS;
            self.put(document);
            if self.faults.any && is_fact && self.dice.one_in(12) {
                self.container.remember();
                (self.remembered_of, self.remembered_ms) = (Some(self.hub), self.now_ms);
            }
        }
        let is_late = end == End::Abandoned || end == End::Moved || self.dice.one_in(2);
        if is_late && end != End::Failure && end != End::GivenUp {
            self.late.push(Late { documents, since_ms: self.now_ms });
        }
        let after = first + length;
        self.again = None;
        match end {
            End::Success => {
                (self.next, self.is_fragile) = (after, false);
                if !self.dice.one_in(6) {
                    self.checkpoint = after;
                }
            }
            End::Failure => self.again = Some(Again { length, count: count + 1 }),
            End::HandlerCrash | End::Abandoned => {
                self.processes[self.owner] = None;
                self.again = Some(Again { length, count: count + 1 });
            }
            End::HostCrash => {
                self.processes[self.owner] = None;
                self.next = self.checkpoint;
            }
            End::AnswerLost => self.next = self.checkpoint,
            End::Moved => {
                self.owner = 1 - self.owner;
                self.next = self.checkpoint;
            }
            End::GivenUp => {
                self.is_fragile = true;
                (self.next, self.checkpoint) = (after, after);
            }
        }
    }

    /// Every invariant that must hold whatever happens.
    fn check(&mut self, instance: usize) -> Result<(), String> {
        let (Some(process), Some(reference)) = (&self.processes[instance], self.reference.get(self.hub))
        else {
            return Ok(());
        };
        let slot = process.slot(&self.course.stream);
        let slot = slot.try_lock().map_err(|_| "the partition is still locked".to_owned())?;
        let Some(partition) = &slot.partition else { return Ok(()) };
        let epoch = partition.stream.epoch;
        if epoch as usize != self.hub {
            return Err(format!("epoch {epoch} was opened for hub {}", self.hub));
        }
        let documents = self.container.all();
        let stored = facts(&documents, &self.course.stream);
        let base = partition.base().unwrap_or(-1);
        let is_below = |key: &&Key| key.0 == epoch && key.1 <= base;
        let is_there = |key: &Key| stored.contains_key(key) || self.expired.contains(key);
        if let Some(key) = self.places.iter().filter(is_below).find(|key| !is_there(key)) {
            return Err(format!("the base is {base}, but {key:?} is not stored"));
        }
        check_copies(&documents, &self.course.stream, self.faults.redeploys || !self.expired.is_empty())?;
        let position = partition.state.position.unwrap_or(-1);
        // After a redeployment what is stored counts, not what would have been decided.
        let own = stretch(&documents, &self.course.stream, epoch);
        let source = if self.faults.redeploys { &own } else { reference };
        // A tail that lags may be one that was overruled by other rules.
        let is_overruled = self.is_overtaken || self.is_moving() || self.container.has_lagged();
        if self.faults.redeploys && (base < position || !self.expired.is_empty() || is_overruled) {
            return Ok(());
        }
        let hour =
            if self.expired.is_empty() { 0 } else { u32::try_from(self.now_ms / HOUR_MS).unwrap_or(0) };
        let (expected, live) = states(&fold(&self.detector, source, position), &partition.state, hour);
        if expected == live {
            return Ok(());
        }
        let ids: BTreeSet<&String> = expected.keys().chain(live.keys()).collect();
        if self.is_traced {
            for id in &ids {
                if expected.get(*id) != live.get(*id) {
                    println!(
                        "{id}: expected {:?}\nlive {:?}",
                        expected.get(*id).map(|b| super::super::device::Memory::decode(b)),
                        live.get(*id).map(|b| super::super::device::Memory::decode(b))
                    );
                }
            }
        }
        let differing: Vec<_> = ids.into_iter().filter(|id| expected.get(*id) != live.get(*id)).collect();
        Err(format!("at {position} (base {base}) the state is another for {differing:?}"))
    }

    /// Whether documents of another owner may still land and overrule what is stored.
    fn is_moving(&self) -> bool {
        self.late.iter().any(|late| !late.documents.is_empty())
    }
}

/// Some devices have limits, others after a redeployment; they mean nothing for replay.
fn limits(redeployed: bool) -> Arc<Limits> {
    let text = if redeployed { "shelf-1=..25; cellar=23..28/2" } else { "shelf-*=..29/3; roof=22.." };
    let variables = |name: &str| (name == "LIMITS").then(|| text.to_owned());
    Arc::new(Limits::of_variables(&variables).expect("limits"))
}

pub(super) fn detector() -> Detector {
    Detector { policy: Policy::Calibrated, prior: Prior { spread: 1.0, error_quantile: 1.0 } }
}

pub(super) fn values(scored: &Scored) -> VecDeque<Value> {
    let parse = |document: &RawObject| {
        assert!(document.json().len() < 256 * 1024, "a document is too large");
        serde_json::from_str(document.json()).expect("documents are JSON")
    };
    scored.documents.iter().map(parse).collect()
}

/// Rounds errors and scores to whole numbers, as storage that keeps less than was used would.
fn round(readings: &mut Value) {
    for rows in readings.as_object_mut().into_iter().flat_map(|devices| devices.values_mut()) {
        for row in rows.as_array_mut().into_iter().flatten() {
            for column in [6, 7] {
                if let Some(number) = row[column].as_f64() {
                    row[column] = (number * 10.0).round().into();
                    row[column] = (row[column].as_f64().unwrap_or(0.0) / 10.0).into();
                }
            }
        }
    }
}
