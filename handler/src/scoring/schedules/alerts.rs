//! What is stored of alerts: steps in rows, and the documents that copy them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use detector::{Channel, Kind, Step};
use serde_json::Value;
use wire::documents::{ALERT, CHANNEL_MASK, CHANNEL_SHIFT, FLAG_ANEW, ReadingRow, STEP_MASK, STEP_SHIFT};
use wire::position::Stream;
use wire::stored::rows_by_device;

use super::super::tail::by_bucket;
use super::facts::{EPOCHS, stretch};
use super::memory::text;
use super::world::Faults;
use super::{Course, Dice, N_EVENTS, World, menu};

/// Documents of alerts by bucket and id.
type Copies = BTreeMap<(String, String), Value>;

/// Every row that takes a step must have its copy, and each alert is opened once, closed at most once, and then at its
/// end.
///
/// `is_patchy` tells that rows may be missing, or be of several rules: then only copies are looked for.
pub(super) fn check_copies(documents: &[Value], stream: &Stream, is_patchy: bool) -> Result<(), String> {
    let copies = copies(documents, stream);
    for epoch in 0..EPOCHS {
        let prefix = Stream { epoch, ..stream.clone() }.bucket_prefix();
        for (group, documents) in by_bucket(&stretch(documents, stream, epoch)) {
            let owned: Vec<_> = documents.into_iter().cloned().collect();
            for (device_id, rows) in rows_by_device(&owned) {
                let ids = step_ids(&rows, is_patchy).map_err(|error| format!("{device_id}: {error}"))?;
                let bucket = format!("{prefix}{group}");
                if let Some(id) =
                    ids.into_iter().find(|id| !copies.contains_key(&(bucket.clone(), id.clone())))
                {
                    return Err(format!("{device_id}: a row is stored, and {id} is not"));
                }
            }
        }
    }
    Ok(())
}

/// In the end there are the copies of an undisturbed run, byte for byte.
pub(super) fn compare(undisturbed: &[Value], found: &[Value], stream: &Stream) -> Result<(), String> {
    let (expected, found) = (copies(undisturbed, stream), copies(found, stream));
    let keys: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    match keys.into_iter().find(|key| expected.get(*key) != found.get(*key)) {
        Some(key) => Err(format!("{key:?} is {:?} instead of {:?}", found.get(key), expected.get(key))),
        None => Ok(()),
    }
}

fn copies(documents: &[Value], stream: &Stream) -> Copies {
    let prefixes: Vec<_> =
        (0..EPOCHS).map(|epoch| Stream { epoch, ..stream.clone() }.bucket_prefix()).collect();
    let is_copy = |document: &&Value| {
        let bucket = text(document, "bucket");
        text(document, "type") == ALERT && prefixes.iter().any(|prefix| bucket.starts_with(prefix))
    };
    let without_time = |document: &Value| {
        let mut document = document.clone();
        document.as_object_mut().expect("documents are objects").remove("_ts");
        document
    };
    let place = |document: &Value| (text(document, "bucket"), text(document, "id"));
    documents.iter().filter(is_copy).map(|document| (place(document), without_time(document))).collect()
}

/// The ids of the copies that a device's rows ask for.
fn step_ids(rows: &[ReadingRow], is_patchy: bool) -> Result<Vec<String>, String> {
    let mut open: Option<String> = None;
    let mut ids = Vec::new();
    for row in rows {
        if row.flags & FLAG_ANEW != 0 {
            open = None;
        }
        let Some(step) = step_of(row) else { continue };
        let breaks_limit = channel_of(row) == Some(Channel::Limit);
        let is_right = (step == Step::Opened) == open.is_none() || (step == Step::Opened && breaks_limit);
        if !is_right && !is_patchy {
            return Err(format!("{} at {} when the open alert is {open:?}", step.name(), row.sequence));
        }
        if step == Step::Opened {
            let kind = channel_of(row).map_or(Kind::Other, Channel::kind);
            open = Some(format!("{ALERT}-{}-{}-{}", row.sequence, row.index, kind.name()));
        }
        // Which alert a later step belongs to is not known when the row of an opening may be missing.
        if step == Step::Opened || !is_patchy {
            ids.extend(open.as_ref().map(|alert| format!("{alert}-{}", step.name())));
        }
        if step == Step::Closed {
            open = None;
        }
    }
    Ok(ids)
}

fn channel_of(row: &ReadingRow) -> Option<Channel> {
    u8::try_from((row.flags >> CHANNEL_SHIFT) & CHANNEL_MASK).ok().and_then(Channel::of_code)
}

fn step_of(row: &ReadingRow) -> Option<Step> {
    u8::try_from((row.flags >> STEP_SHIFT) & STEP_MASK).ok().and_then(Step::of_code)
}

#[test]
fn schedules_have_alerts_of_every_step() {
    let mut n_steps: HashMap<String, usize> = HashMap::new();
    for seed in 0..100 {
        let mut dice = Dice::new(seed);
        let menu = menu(&mut dice);
        let course = Course::new(&mut dice, "ns", N_EVENTS, menu.stream);
        let mut world = World::new(seed, course, std::sync::Arc::default(), Faults::default(), menu.detector);
        world.play().unwrap();
        for copy in copies(&world.container.all(), &world.course.stream).values() {
            *n_steps.entry(text(copy, "step")).or_default() += 1;
        }
    }
    assert!(n_steps.values().all(|n| *n > 10) && n_steps.len() == 3, "{n_steps:?}");
}
