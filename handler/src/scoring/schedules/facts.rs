//! What is stored, as every reader sees it: each fact once, by position.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use detector::Detector;
use serde_json::{Value, json};
use wire::documents::Header;
use wire::position::Stream;
use wire::stored::{Precedence, placed_rows};

use super::super::mutants::{self, Mutant};
use super::super::state::{Retention, State};
use super::super::stored::Stretch;
use super::super::tail::by_bucket;
use super::memory::{stretch_of, text};
use super::world::{N_BUCKETS, TTL_S};

/// A place in a stream: epoch, sequence number, place in the event.
pub(super) type Key = (u32, i64, u32);

/// Facts by position; more than one at a position is a fault.
pub(super) type Facts = BTreeMap<Key, Vec<Value>>;

/// Epochs that a schedule can reach.
pub(super) const EPOCHS: u32 = 4;

pub(super) fn stretch(documents: &[Value], stream: &Stream, epoch: u32) -> Stretch {
    let prefix = Stream { epoch, ..stream.clone() }.bucket_prefix();
    stretch_of(
        documents.iter().filter(|document| text(document, "bucket").starts_with(&prefix)).cloned().collect(),
    )
}

/// All facts of a stream.
pub(super) fn facts(documents: &[Value], stream: &Stream) -> Facts {
    let mut facts = Facts::new();
    for epoch in 0..EPOCHS {
        let stretch = stretch(documents, stream, epoch);
        for documents in by_bucket(&stretch).values() {
            let alone: Vec<_> = documents.iter().map(|document| vec![*document]).collect();
            let together = vec![documents.clone()];
            let groups = if mutants::is(Mutant::ReadersWithoutRule) { alone } else { together };
            for group in &groups {
                for (device_id, row) in placed_rows(group) {
                    let fact = json!({"device": device_id, "row": row});
                    facts.entry((epoch, row.sequence, row.index)).or_default().push(fact);
                }
            }
        }
        let headers: Vec<&Header> = stretch.rejects.iter().map(|document| &document.header).collect();
        let precedence = Precedence::of(&headers);
        for (n, document) in stretch.rejects.iter().enumerate() {
            let rejects = document.rejects.iter().map(|entry| (entry.sequence, entry.index, json!(entry)));
            let skips = document.skips.iter().map(|entry| (entry.sequence, entry.index, json!(entry)));
            for (sequence, index, entry) in rejects.chain(skips) {
                if precedence.counts(n, sequence) {
                    facts.entry((epoch, sequence, index)).or_default().push(entry);
                }
            }
        }
    }
    facts
}

/// States of all devices, by id, as they are kept.
pub(super) type States = HashMap<String, Vec<u8>>;

/// States of two folds of one stream.
///
/// What a device that is gone was like does not matter; when it is, follows from an hour that may be deleted by age with
/// its row, or of which only rejects are known: `hour` is the newest one that anything arrived in.
pub(super) fn states(one: &State, other: &State, hour: u32) -> (States, States) {
    let hour = one.hour().max(other.hour()).max(hour);
    (states_in(one, hour), states_in(other, hour))
}

fn states_in(state: &State, hour: u32) -> States {
    let known = state.entries().iter().filter(|entry| !entry.memory.device.is_blank());
    let known = known.filter(|entry| !state.is_gone_in(&entry.memory, hour));
    known
        .map(|entry| {
            let mut bytes = Vec::new();
            entry.memory.encode(&mut bytes);
            (entry.id.to_string(), bytes)
        })
        .collect()
}

/// The fold over everything stored up to a position, made without any of the protocol.
pub(super) fn fold(detector: &Detector, stretch: &Stretch, position: i64) -> State {
    let mutant = mutants::take();
    let mut state = State::new(N_BUCKETS, Retention::of_ttl(TTL_S), Arc::default());
    let mut undo = state.begin();
    for documents in by_bucket(stretch).values() {
        for (device_id, row) in placed_rows(documents) {
            if row.sequence <= position {
                let slot = state.slot(device_id);
                state.apply(detector, slot, &row, &mut undo);
            }
        }
    }
    mutants::active(mutant);
    state
}
