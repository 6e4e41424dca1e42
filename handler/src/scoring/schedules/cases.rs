//! Situations that random schedules do not reach, or would not notice.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use serde_json::{Value, json};
use wire::invocation::Event;
use wire::position::{Stream, bucket_of};
use wire::stored::placed_rows;

use super::super::batch::Batch;
use super::super::decide::Reconstruct;
use super::super::documents::WriterIdentity;
use super::super::journal::Journal;
use super::super::orphans::header_of;
use super::super::tail::by_bucket;
use super::super::{ScoreError, Scored, Scorer, Storage};
use super::facts::{facts, fold, states, stretch};
use super::memory::{Blobs, Container};
use super::stream::{MeanModel, START_MS};
use super::world::{N_BUCKETS, TTL_S, detector, values};

/// Panics at a window that leaves the usual.
struct Brittle;

impl Reconstruct for Brittle {
    fn reconstruct(&self, windows: &[f32]) -> anyhow::Result<Vec<f32>> {
        assert!(windows.iter().all(|value| *value < 3.0), "a window that nobody thought of");
        MeanModel(1.0).reconstruct(windows)
    }
}

struct Place {
    container: Arc<Container>,
    blobs: Arc<Blobs>,
}

impl Place {
    fn new() -> Self {
        Self { container: Arc::default(), blobs: Arc::default() }
    }

    fn scorer<M>(&self, model: M, writer: &str, n_buckets: u32) -> Scorer<M> {
        Scorer {
            detector: detector(),
            identity: WriterIdentity { writer: writer.to_owned(), rules: writer.to_owned(), ttl_s: TTL_S },
            model,
            n_buckets,
            limits: Arc::default(),
            storage: Storage {
                facts: Arc::<Container>::clone(&self.container),
                snapshots: Some(Arc::<Blobs>::clone(&self.blobs)),
                journals: None,
            },
            snapshot_interval: Duration::ZERO,
            slots: std::sync::Mutex::default(),
        }
    }

    /// Two owners, the other one with rules of its own.
    fn owners(&self, other: f32) -> (Scorer<MeanModel>, Scorer<MeanModel>) {
        (self.scorer(MeanModel(1.0), "a", N_BUCKETS), self.scorer(MeanModel(other), "b", N_BUCKETS))
    }

    fn store(&self, scored: &Scored) {
        for mut document in values(scored) {
            // A document's time to live begins when it is written.
            document["_ts"] = document["enqueuedTo"].clone();
            self.container.upsert(document);
        }
    }

    /// Documents of a type.
    fn all(&self, kind: &str) -> Vec<Value> {
        self.container.all().into_iter().filter(|document| document["type"] == kind).collect()
    }
}

fn stream() -> Stream {
    Stream { namespace: "ns".to_owned(), hub: "h".to_owned(), partition: "0".to_owned(), epoch: 0 }
}

async fn score<M: Reconstruct>(
    scorer: &Scorer<M>,
    events: &[Event<'static>],
    retry_count: u32,
) -> Result<Scored, ScoreError> {
    let until = Instant::now() + Duration::from_secs(600);
    scorer.score_batch(stream(), &Batch::new(events)?, retry_count, until).await
}

fn event(sequence: i64, text: String) -> Event<'static> {
    Event {
        sequence_number: Some(sequence),
        enqueued_ms: Some(START_MS + sequence * 1000),
        device_id: Some("cellar".into()),
        message_source: None,
        message_id: None,
        text: text.into(),
    }
}

fn reading(sequence: i64, celsius: f64) -> Event<'static> {
    event(sequence, json!({"temperature": celsius, "timestamp": START_MS + sequence * 1000}).to_string())
}

fn readings(sequences: std::ops::Range<i64>) -> Vec<Event<'static>> {
    sequences.map(|sequence| reading(sequence, 20.0 + (sequence % 7) as f64 / 10.0)).collect()
}

/// Expects that a process knows what is stored up to a sequence number, and nothing else.
async fn expect_fold(place: &Place, scorer: &Scorer<MeanModel>, last: i64) {
    let slot = scorer.slot(&stream());
    let expected = fold(&detector(), &stretch(&place.container.all(), &stream(), 0), last);
    let (expected, live) = states(&expected, &slot.lock().await.partition.as_ref().unwrap().state, 0);
    assert_eq!(live, expected);
}

#[tokio::test]
async fn an_event_that_panics_is_refused_and_its_neighbors_are_scored() {
    let place = Place::new();
    let scorer = place.scorer(Brittle, "a", N_BUCKETS);
    let mut events = readings(0..48);
    events[45] = reading(45, 80.0);
    let first = AssertUnwindSafe(score(&scorer, &events, 0)).catch_unwind().await;
    assert!(first.is_err(), "the model panics");
    let scored = score(&scorer, &events, 1).await.unwrap();
    assert_eq!((scored.summary.n_readings, scored.summary.n_rejects), (47, 1));
    place.store(&scored);
    assert_eq!(place.all("rejects")[0]["rejects"][0]["reason"], "poison");
    // What it left behind in the device would make the next event panic as well.
    let next = score(&scorer, &readings(48..56), 0).await.unwrap();
    assert_eq!(next.summary.n_readings, 8);
}

#[tokio::test]
async fn an_answer_that_another_owner_overruled_is_not_what_scoring_continues_from() {
    let place = Place::new();
    let (one, other) = place.owners(0.5);
    let events = readings(0..6);
    let answer = score(&one, &events, 0).await.unwrap();
    // The other one knows nothing of the answer, and takes the partition twice: its term is higher.
    for _ in 0..2 {
        score(&other, &events, 0).await.unwrap();
    }
    place.store(&score(&other, &events, 0).await.unwrap());
    place.store(&answer);
    let next = score(&one, &readings(6..9), 0).await.unwrap();
    place.store(&next);
    expect_fold(&place, &one, 8).await;
}

#[tokio::test]
async fn what_only_an_overruled_answer_holds_goes_out_again() {
    let place = Place::new();
    let (one, other) = place.owners(1.0);
    place.store(&score(&one, &readings(0..6), 0).await.unwrap());
    // The host gives this one up, and passes it: nothing of it is stored.
    score(&one, &readings(6..12), 0).await.unwrap();
    // Meanwhile another owner, whose term is higher, has stored a shorter cut.
    score(&other, &readings(6..9), 0).await.unwrap();
    place.store(&score(&other, &readings(6..9), 0).await.unwrap());
    let next = score(&one, &readings(12..15), 0).await.unwrap();
    place.store(&next);
    place.store(&score(&one, &readings(15..18), 0).await.unwrap());
    let stored = stretch(&place.container.all(), &stream(), 0);
    let n_rows: usize = by_bucket(&stored).values().map(|documents| placed_rows(documents).len()).sum();
    assert_eq!((n_rows, place.all("gap").len()), (18, 0));
    expect_fold(&place, &one, 17).await;
}

#[tokio::test]
async fn what_another_owner_has_stored_further_on_is_not_decided_again() {
    let place = Place::new();
    let (one, other) = place.owners(0.5);
    place.store(&score(&one, &readings(0..12), 0).await.unwrap());
    let written = place.all("results");
    // The checkpoint has not moved; the other one is given the events in smaller batches.
    for first in [0, 4, 8] {
        place.store(&score(&other, &readings(first..first + 4), 0).await.unwrap());
    }
    assert_eq!(place.all("results"), written);
    // Each is given just what it expects, and finds that the other one has gone further.
    place.store(&score(&other, &readings(12..16), 0).await.unwrap());
    place.store(&score(&other, &readings(16..20), 0).await.unwrap());
    let written = place.all("results");
    place.store(&score(&one, &readings(12..20), 0).await.unwrap());
    assert_eq!(place.all("results"), written);
}

/// Readings of one device after the other, in turns.
fn readings_of(device_ids: &[&'static str], sequences: std::ops::Range<i64>) -> Vec<Event<'static>> {
    let of = |device_id: &&'static str, event| Event { device_id: Some((*device_id).into()), ..event };
    device_ids
        .iter()
        .cycle()
        .zip(readings(sequences))
        .map(|(device_id, event)| of(device_id, event))
        .collect()
}

#[tokio::test]
async fn what_is_stored_behind_an_answer_that_had_nothing_for_a_bucket_is_not_decided_again() {
    // Two devices in two buckets.
    let (often, seldom) = ("shelf-1", "roof");
    assert_ne!(bucket_of(often, N_BUCKETS), bucket_of(seldom, N_BUCKETS));
    let place = Place::new();
    let (one, other) = place.owners(0.5);
    place.store(&score(&one, &readings_of(&[often, seldom], 0..4), 0).await.unwrap());
    place.store(&score(&one, &readings_of(&[often], 4..8), 0).await.unwrap());
    place.store(&score(&one, &readings_of(&[often, seldom], 8..12), 0).await.unwrap());
    let written = place.all("results");
    let again = [readings_of(&[often], 4..8), readings_of(&[often, seldom], 8..12)].concat();
    place.store(&score(&other, &again, 0).await.unwrap());
    assert_eq!(place.all("results"), written);
    // What the other one decides itself begins where the stored facts end, and overrules none of them.
    place.store(&score(&other, &readings_of(&[often, seldom], 12..16), 0).await.unwrap());
    place.store(&score(&one, &readings_of(&[often, seldom], 12..20), 0).await.unwrap());
    expect_fold(&place, &one, 19).await;
    expect_fold(&place, &other, 15).await;
}

#[tokio::test]
async fn rejects_and_skips_show_how_far_others_have_come_as_readings_do() {
    let place = Place::new();
    let (one, other) = place.owners(0.5);
    let twin = Event { message_source: Some("twinChangeEvents".into()), ..reading(6, 20.0) };
    let left_out = vec![event(4, "garbage".to_owned()), event(5, "[7, 8]".to_owned()), twin];
    place.store(&score(&one, &readings(0..4), 0).await.unwrap());
    place.store(&score(&one, &left_out, 0).await.unwrap());
    place.store(&score(&one, &readings(7..12), 0).await.unwrap());
    let written = (place.all("results"), place.all("rejects"));
    place.store(&score(&other, &[left_out, readings(7..12)].concat(), 0).await.unwrap());
    assert_eq!((place.all("results"), place.all("rejects")), written);
    expect_fold(&place, &other, 11).await;
}

#[tokio::test]
async fn an_answer_of_which_a_piece_is_stored_is_gone_on_with_from_there() {
    let place = Place::new();
    let (one, other) = place.owners(0.5);
    let events = readings(0..9000);
    let scored = score(&one, &events, 0).await.unwrap();
    let mut pieces = values(&scored).into_iter().filter(|document| document["type"] == "results");
    let first = pieces.next().unwrap();
    assert!(pieces.next().is_some(), "it needs no second document");
    let next = first["lastSequence"].as_i64().unwrap() + 1;
    place.container.upsert(first);
    let rest = score(&other, &events, 0).await.unwrap();
    let firsts = rest.documents.iter().filter_map(header_of).map(|header| header.first_sequence);
    assert_eq!(firsts.min(), Some(next), "what is stored is decided again");
    place.store(&rest);
    let found = places(&place);
    assert_eq!((found.len(), found.iter().all(|(_, n_times)| *n_times == 1)), (9000, true));
    expect_fold(&place, &other, 8999).await;
}

#[tokio::test]
async fn an_event_is_stored_when_it_is_as_either_of_two_releases_read_it() {
    let place = Place::new();
    let (one, other) = place.owners(1.0);
    let part = |id: &str| json!({"deviceId": id, "temperature": 20.0, "timestamp": START_MS});
    let parts = json!([part("shelf-1"), part("roof"), part("shelf-1")]).to_string();
    let of_parts = Event { device_id: None, ..event(2, parts) };
    place.store(&score(&one, &readings(0..2), 0).await.unwrap());
    let read = score(&one, &[of_parts, reading(3, 20.0)], 0).await.unwrap();
    // Another release makes one reject of it, and some of what the first one read lands late.
    place.store(&score(&other, &[event(2, "garbage".to_owned()), reading(3, 20.0)], 0).await.unwrap());
    let of_roof = values(&read).into_iter().find(|document| document["readings"].get("roof").is_some());
    place.container.upsert(of_roof.unwrap());
    let third = place.scorer(MeanModel(1.0), "c", N_BUCKETS);
    score(&third, &readings(4..6), 0).await.unwrap();
    let slot = third.slot(&stream());
    assert_eq!(slot.lock().await.partition.as_ref().unwrap().state.position, Some(5));
}

#[tokio::test]
async fn what_lands_late_of_events_that_a_batch_left_out_does_not_count_behind_its_tail() {
    let place = Place::new();
    let (one, other) = place.owners(1.0);
    place.store(&score(&one, &readings(0..4), 0).await.unwrap());
    let late = score(&one, &readings(4..6), 0).await.unwrap();
    // The other one is given what is stored, and then not what the first one's answer holds.
    let jump = [readings(0..4), readings(6..9)].concat();
    place.store(&score(&other, &jump, 0).await.unwrap());
    place.store(&late);
    expect_fold(&place, &other, 8).await;
}

/// Ids of an answer's documents that hold readings.
fn result_ids(scored: &Scored) -> Vec<String> {
    let documents = scored.documents.iter().filter_map(header_of);
    documents.map(|header| header.id).filter(|id| id.starts_with("results")).collect()
}

#[tokio::test]
async fn what_was_overruled_is_forgotten_when_its_events_come_again() {
    let place = Place::new();
    let (one, other) = place.owners(1.0);
    place.store(&score(&one, &readings(0..6), 0).await.unwrap());
    let overruled = result_ids(&score(&one, &readings(6..12), 0).await.unwrap());
    score(&other, &readings(6..9), 0).await.unwrap();
    place.store(&score(&other, &readings(6..9), 0).await.unwrap());
    // It finds that it was overruled, and cannot go on: an event lacks.
    assert!(matches!(score(&one, &readings(13..15), 0).await, Err(ScoreError::Hole { .. })));
    place.store(&score(&one, &readings(6..12), 0).await.unwrap());
    place.store(&score(&other, &readings(12..15), 0).await.unwrap());
    let next = score(&one, &readings(15..18), 0).await.unwrap();
    assert!(result_ids(&next).iter().all(|id| !overruled.contains(id)), "{:?}", result_ids(&next));
}

#[tokio::test]
async fn what_is_carried_goes_out_also_where_a_batch_is_wholly_stored() {
    let place = Place::new();
    let (one, other) = place.owners(1.0);
    place.store(&score(&one, &readings(0..4), 0).await.unwrap());
    // The host gives this one up and passes it; another owner reports it as lost, and goes on.
    let carried = result_ids(&score(&one, &readings(4..8), 0).await.unwrap());
    place.store(&insist(&other, &readings(8..12), 1).await);
    for retry_count in 0..2 {
        let scored = score(&one, &readings(9..12), retry_count).await.unwrap();
        assert_eq!(result_ids(&scored), carried, "attempt {retry_count}");
    }
}

#[tokio::test]
async fn more_than_can_be_carried_is_given_up_and_reported_as_lost() {
    let place = Place::new();
    let scorer = place.scorer(MeanModel(1.0), "a", N_BUCKETS);
    place.store(&score(&scorer, &readings(0..4), 0).await.unwrap());
    // Each is a reject of 16 KB; none is stored, and the host passes all of them.
    let large = |sequence| event(sequence, "x".repeat(20_000));
    let mut next = 4;
    let mut n_carried_bytes = 0;
    for _ in 0..3 {
        let events: Vec<_> = (next..next + 500).map(large).collect();
        let scored = score(&scorer, &events, 0).await.unwrap();
        n_carried_bytes = scored.documents.iter().map(|document| document.json().len()).sum();
        next += 500;
    }
    assert!(n_carried_bytes > 16 * 1024 * 1024, "they go out with the next, until they are too many");
    place.store(&insist(&scorer, &readings(next..next + 4), 1).await);
    let gap = &place.all("gap")[0];
    assert_eq!((gap["firstSequence"].as_i64(), gap["lastSequence"].as_i64()), (Some(4), Some(next - 1)));
}

/// Tries a batch again as long as something lacks: ten times for each of so many stretches that are read at once.
async fn insist(scorer: &Scorer<MeanModel>, events: &[Event<'static>], n_stretches: usize) -> Scored {
    let mut holes: Vec<(i64, i64)> = Vec::new();
    loop {
        match score(scorer, events, 0).await {
            Err(ScoreError::Hole { first, last }) => holes.push((first, last)),
            Err(error) => panic!("{error}"),
            Ok(scored) => {
                let lengths: Vec<usize> = holes.chunk_by(|one, other| one == other).map(<[_]>::len).collect();
                assert_eq!(lengths, vec![10; n_stretches], "{holes:?}");
                return scored;
            }
        }
    }
}

#[tokio::test]
async fn a_loss_longer_than_what_is_read_at_once_is_reported_whole() {
    let place = Place::new();
    let scorer = place.scorer(MeanModel(1.0), "a", N_BUCKETS);
    place.store(&score(&scorer, &readings(0..4), 0).await.unwrap());
    place.store(&insist(&scorer, &readings(40_000..40_004), 3).await);
    let of = |gap: &Value| (gap["firstSequence"].as_i64().unwrap(), gap["lastSequence"].as_i64().unwrap());
    let mut gaps: Vec<_> = place.all("gap").iter().map(of).collect();
    gaps.sort_unstable();
    assert_eq!(gaps.first().map(|gap| gap.0), Some(4));
    assert!(gaps.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{gaps:?}");
    assert_eq!(gaps.last().map(|gap| gap.1), Some(39_999));
}

/// An event of readings that no sensor means.
fn broken(sequence: i64) -> Event<'static> {
    let readings = (0..300).map(|n| {
        json!({"deviceId": format!("device-{sequence}-{n}"), "temperature": -127.0, "timestamp": START_MS})
    });
    Event { device_id: None, ..event(sequence, readings.collect::<Value>().to_string()) }
}

#[tokio::test]
async fn thousands_of_devices_that_fail_in_one_batch_have_an_alert_each_in_front_of_their_rows() {
    let place = Place::new();
    let scorer = place.scorer(MeanModel(1.0), "a", N_BUCKETS);
    let scored = score(&scorer, &(0..20).map(broken).collect::<Vec<_>>(), 0).await.unwrap();
    let mut alerts = HashSet::new();
    for document in &scored.documents {
        assert!(document.json().len() < 256 * 1024);
        let document: Value = serde_json::from_str(document.json()).unwrap();
        if document["type"] == "alert" {
            alerts.insert(document["deviceId"].as_str().unwrap().to_owned());
        } else if document["type"] == "results" {
            let ids = document["readings"].as_object().unwrap().keys();
            assert!(ids.into_iter().all(|id| alerts.contains(id)), "{}", document["id"]);
        }
    }
    place.store(&scored);
    assert_eq!((place.all("alert").len(), scored.summary.n_anomalies), (6000, 6000));
}

#[tokio::test]
async fn a_batch_with_more_alerts_than_an_attempt_can_store_gets_further_with_each() {
    let place = Place::new();
    let scorer = place.scorer(MeanModel(1.0), "a", 16);
    let events: Vec<_> = (0..20).map(broken).collect();
    let mut n_left = usize::MAX;
    for retry_count in 0..20 {
        let mut scored = score(&scorer, &events, retry_count).await.unwrap();
        assert!(scored.documents.len() < n_left, "attempt {retry_count} got no further");
        n_left = scored.documents.len();
        // The host is cut short at its time limit.
        scored.documents.truncate(1000);
        place.store(&scored);
        if n_left <= 1000 {
            break;
        }
    }
    let ids: HashSet<_> = place.all("alert").into_iter().map(|alert| alert["id"].to_string()).collect();
    assert_eq!((ids.len(), n_left <= 1000), (6000, true));
}

/// What the newest table says of when a device was heard, and how long it may pause.
fn heard(place: &Place) -> (Value, Value) {
    let table = place.all("devices").into_iter().max_by_key(|table| table["lastSequence"].as_i64());
    let row = &table.unwrap()["devices"]["cellar"];
    (row[8].clone(), row[9].clone())
}

#[tokio::test]
async fn a_new_process_knows_when_devices_were_heard() {
    let place = Place::new();
    let one = place.scorer(MeanModel(1.0), "a", N_BUCKETS);
    let first = score(&one, &readings(0..20), 0).await.unwrap();
    place.store(&first);
    // Another owner goes on, and keeps a snapshot: its tables say what it heard and what was known before.
    let other = place.scorer(MeanModel(1.0), "b", N_BUCKETS);
    place.store(&score(&other, &readings(20..40), 0).await.unwrap());
    let settled = score(&other, &readings(40..41), 0).await.unwrap();
    place.store(&settled);
    let snapshots: Arc<dyn super::super::stored::SnapshotStore> = Arc::<Blobs>::clone(&place.blobs);
    settled.snapshot.unwrap().keep(&snapshots).await.unwrap();
    let before = heard(&place);
    assert!(before.1.is_i64(), "{before:?}");
    // Devices of the snapshot have slots before tables are read.
    let new = place.scorer(MeanModel(1.0), "c", N_BUCKETS);
    place.store(&score(&new, &readings(41..42), 0).await.unwrap());
    let slot = new.slot(&stream());
    let known = slot.lock().await.partition.as_ref().unwrap().state.entries()[0].heard;
    assert_eq!(known.arrived(), Some(START_MS + 41_000));
    assert_eq!(json!(known.allowance()), before.1);
    // The first owner heard nothing of what the others did, and yet does not think that the device paused.
    place.store(&score(&one, &readings(42..43), 0).await.unwrap());
    let slot = one.slot(&stream());
    let known = slot.lock().await.partition.as_ref().unwrap().state.entries()[0].heard;
    assert_eq!(known.arrived(), Some(START_MS + 42_000));
    assert_eq!(json!(known.allowance()), before.1);
}

#[tokio::test]
async fn another_number_of_groups_than_what_is_stored_is_refused() {
    let place = Place::new();
    place.store(&score(&place.scorer(MeanModel(1.0), "a", 3), &readings(0..6), 0).await.unwrap());
    let changed = place.scorer(MeanModel(1.0), "b", 5);
    let end = score(&changed, &readings(6..9), 0).await;
    assert!(matches!(end, Err(ScoreError::Buckets { .. })), "{end:?}");
}

/// Three readings at some hour.
fn readings_at(first: i64, hour: i64) -> Vec<Event<'static>> {
    let at = |sequence| Event {
        enqueued_ms: Some(START_MS + hour * 3_600_000 + sequence * 1000),
        ..reading(sequence, 20.0 + (sequence % 7) as f64 / 10.0)
    };
    (first..first + 3).map(at).collect()
}

/// Plays batches of three readings at some hours, then opens the partition in a new process that finds all documents
/// but those of one batch; both processes' states must be the same.
async fn opens_without(hours: &[i64], deleted: usize) {
    let (place, left) = (Place::new(), Place::new());
    let one = place.scorer(MeanModel(1.0), "a", N_BUCKETS);
    for (n, hour) in hours.iter().enumerate() {
        let scored = score(&one, &readings_at(3 * i64::try_from(n).unwrap(), *hour), 0).await.unwrap();
        place.store(&scored);
        if n != deleted {
            left.store(&scored);
        }
    }
    let last = readings_at(3 * i64::try_from(hours.len() - 1).unwrap(), hours[hours.len() - 1]);
    let other = left.scorer(MeanModel(1.0), "b", N_BUCKETS);
    let scored = insist(&other, &last, 1).await;
    left.store(&scored);
    assert!(left.all("gap").is_empty(), "what is deleted by age is no loss");
    assert_eq!(memory(&one).await, memory(&other).await, "without the documents of batch {deleted}");
}

/// What a process remembers of the only device.
async fn memory(scorer: &Scorer<MeanModel>) -> Vec<u8> {
    let slot = scorer.slot(&stream());
    let slot = slot.lock().await;
    let mut bytes = Vec::new();
    slot.partition.as_ref().unwrap().state.entries()[0].memory.encode(&mut bytes);
    bytes
}

#[tokio::test]
async fn a_state_that_is_stored_in_the_tail_stands_for_readings_that_are_deleted() {
    let (place, left) = (Place::new(), Place::new());
    let one = place.scorer(MeanModel(1.0), "a", N_BUCKETS);
    place.store(&score(&one, &readings_at(0, 0), 0).await.unwrap());
    let tail = score(&one, &readings_at(3, 7), 0).await.unwrap();
    place.store(&tail);
    left.store(&tail);
    let mut next = readings_at(6, 7);
    next[2] = reading(8, -127.0);
    place.store(&score(&one, &next, 0).await.unwrap());
    let other = left.scorer(MeanModel(1.0), "b", N_BUCKETS);
    left.store(&score(&other, &[readings_at(3, 7), next].concat(), 0).await.unwrap());
    assert_eq!(memory(&one).await, memory(&other).await);
    assert_eq!((place.all("alert").len(), place.all("alert")), (1, left.all("alert")));
}

#[tokio::test]
async fn a_document_that_outlives_later_ones_does_not_hide_a_newer_state() {
    // A document lives from when it was last written: one that landed late outlives those of the hours after it.
    // The state beside the first reading that must be there, or beside the last one that need not, knows better.
    opens_without(&[0, 7, 14, 21, 28], 2).await;
    opens_without(&[0, 7, 14, 19, 27], 1).await;
}

#[tokio::test]
async fn what_was_deleted_by_age_behind_a_state_that_was_overruled_is_no_loss() {
    let place = Place::new();
    let (one, other) = place.owners(1.0);
    place.store(&score(&one, &readings_at(0, 0), 0).await.unwrap());
    place.store(&score(&other, &readings_at(3, 1), 0).await.unwrap());
    // The first owner applies 3 to 5 from its tail, writes the rest, and takes back both when it finds that overruled.
    let all = [readings_at(3, 1), readings_at(6, 10), readings_at(9, 20)].concat();
    score(&one, &all, 0).await.unwrap();
    for _ in 0..2 {
        score(&other, &all, 0).await.unwrap();
    }
    place.store(&score(&other, &all, 0).await.unwrap());
    place.container.expire(START_MS + 26 * 3_600_000);
    let next = readings_at(12, 26);
    let scored = insist(&one, &next, 1).await;
    place.store(&scored);
    assert!(place.all("gap").is_empty(), "what is deleted by age is no loss");
    score(&other, &next, 0).await.unwrap();
    assert_eq!(memory(&one).await, memory(&other).await);
}

#[tokio::test]
async fn what_was_deleted_by_age_over_more_than_is_read_at_once_is_no_loss() {
    let (place, left) = (Place::new(), Place::new());
    let one = place.scorer(MeanModel(1.0), "a", N_BUCKETS);
    let oldest = score(&one, &readings_at(0, 0), 0).await.unwrap();
    place.store(&oldest);
    left.store(&oldest);
    let deleted: Vec<_> = (3..20_001)
        .map(|sequence| Event { enqueued_ms: Some(START_MS + 3_600_000), ..reading(sequence, 20.0) })
        .collect();
    place.store(&score(&one, &deleted, 0).await.unwrap());
    for (first, hour) in [(20_001, 20), (20_004, 28)] {
        let kept = score(&one, &readings_at(first, hour), 0).await.unwrap();
        place.store(&kept);
        left.store(&kept);
    }
    let other = left.scorer(MeanModel(1.0), "b", N_BUCKETS);
    left.store(&insist(&other, &readings_at(20_007, 28), 2).await);
    assert!(left.all("gap").is_empty(), "what is deleted by age is no loss");
}

/// What is stored of a stream: each place with how many facts are there.
fn places(place: &Place) -> Vec<((i64, u32), usize)> {
    let facts = facts(&place.container.all(), &stream());
    facts.into_iter().map(|((_, sequence, index), values)| ((sequence, index), values.len())).collect()
}

/// Plays a batch again to a process that makes something else of it, and expects that nothing changes.
async fn expect_no_change(place: &Place, other: &Scorer<MeanModel>, events: &[Event<'static>]) {
    let before = places(place);
    place.store(&score(other, events, 0).await.unwrap());
    assert_eq!(places(place), before);
    let last = events.last().unwrap().sequence_number.unwrap();
    expect_fold(place, other, last).await;
    let third = place.scorer(MeanModel(1.0), "c", N_BUCKETS);
    score(&third, &readings(last + 1..last + 4), 0).await.unwrap();
}

#[tokio::test]
async fn an_event_that_is_stored_stays_what_it_was_whatever_would_be_made_of_it_now() {
    let ahead = json!({"temperature": 20.0, "timestamp": START_MS + 864_000_000}).to_string();
    let in_time = Event { enqueued_ms: None, ..event(2, ahead.clone()) };
    for (first, again) in [
        // Another release refuses it, or reads it; its time lacked at first.
        (reading(2, 20.0), event(2, "garbage".to_owned())),
        (event(2, "garbage".to_owned()), reading(2, 20.0)),
        (in_time, event(2, ahead)),
        (reading(2, 20.0), Event { message_source: Some("twinChangeEvents".into()), ..reading(2, 20.0) }),
    ] {
        let place = Place::new();
        let (one, other) = place.owners(1.0);
        let mut events = readings(0..6);
        events[4] = event(4, "garbage".to_owned());
        events[2] = first;
        place.store(&score(&one, &events, 0).await.unwrap());
        events[2] = again;
        expect_no_change(&place, &other, &events).await;
    }
}

#[tokio::test]
async fn an_event_that_ended_processes_elsewhere_stays_what_it_was_when_it_is_stored() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let one = place.scorer(MeanModel(1.0), "a", N_BUCKETS);
    let mut other = place.scorer(MeanModel(1.0), "b", N_BUCKETS);
    other.storage.journals = Some(folder.path().to_owned());
    let path = folder.path().join(format!("{}journal", stream().bucket_prefix()));
    Journal::open(&path).unwrap().begin(0, 5).unwrap();
    for _ in 0..3 {
        Journal::open(&path).unwrap().name(0, 5, 2).unwrap();
    }
    let mut events = readings(0..6);
    events[4] = event(4, "garbage".to_owned());
    // Meanwhile the other host's process has scored and stored all of it.
    place.store(&score(&one, &events, 0).await.unwrap());
    expect_no_change(&place, &other, &events).await;
    assert!(place.all("rejects").iter().all(|document| !document.to_string().contains("poison")));
}

#[tokio::test]
async fn what_is_refused_of_an_event_that_is_stored_in_part_denies_nothing_else() {
    let place = Place::new();
    let (one, other) = place.owners(1.0);
    let parts =
        (0..9).map(|n| json!({"deviceId": format!("d{n}"), "temperature": 20.0, "timestamp": START_MS}));
    let parts: Vec<Value> = parts.chain([json!({"deviceId": "d1", "temperature": "warm"})]).collect();
    let mut events = readings(0..6);
    events[2] = Event { device_id: None, ..event(2, json!(parts).to_string()) };
    events[4] = event(4, "garbage".to_owned());
    let scored = score(&one, &events, 0).await.unwrap();
    // The documents of one bucket are not stored.
    let mut n_left_out = 0;
    for document in &scored.documents {
        let document: Value = serde_json::from_str(document.json()).unwrap();
        if document["type"] == "results" && document["bucket"].as_str().unwrap().ends_with(".1") {
            n_left_out += document["readings"]
                .as_object()
                .unwrap()
                .values()
                .flat_map(Value::as_array)
                .flatten()
                .count();
        } else {
            place.container.upsert(document);
        }
    }
    assert!(n_left_out > 0, "nothing of it is in that bucket");
    let n_facts = places(&place).len() + n_left_out;
    events[2] = event(2, "another release makes nothing of it".to_owned());
    place.store(&score(&other, &events, 0).await.unwrap());
    let found = places(&place);
    assert!(found.iter().all(|(_, n_times)| *n_times == 1), "{found:?}");
    assert_eq!(found.len(), n_facts);
    let third = place.scorer(MeanModel(1.0), "c", N_BUCKETS);
    score(&third, &readings(6..9), 0).await.unwrap();
}
