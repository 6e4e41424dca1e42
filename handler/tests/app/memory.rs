//! Storage in memory, with the faults of the real one: it can lag, be away, and lose what is old.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use serde_json::Value;
use wire::documents::{GAP, Header, REJECTS, RESULTS, RejectsDocument, ResultsDocument};
use wire::position::Stream;

use handler::scoring::stored::{Asked, Extent, Heard, Listed, SnapshotStore, StoredFacts, Stretch};
use handler::store::StoreError;

/// Documents by bucket and id.
type Documents = BTreeMap<(String, String), Value>;

/// A container.
#[derive(Debug, Default)]
pub(super) struct Container {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    documents: Documents,
    /// What was there some writes ago.
    past: Documents,
    /// How many reads will see that.
    stale_reads: usize,
    /// Whether any read has seen that.
    has_lagged: bool,
    /// How many reads will fail.
    failing_reads: usize,
}

impl Container {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a document; returns the one that it takes the place of.
    pub(super) fn upsert(&self, document: Value) -> Option<Value> {
        let key = (text(&document, "bucket"), text(&document, "id"));
        self.inner().documents.insert(key, document)
    }

    /// Remembers what is there now, for reads that lag.
    pub(super) fn remember(&self) {
        let mut inner = self.inner();
        inner.past = inner.documents.clone();
    }

    /// Has the next reads see what was there when it was remembered.
    pub(super) fn lag(&self, n_reads: usize) {
        self.inner().stale_reads = n_reads;
    }

    /// Whether a read has lagged.
    pub(super) fn has_lagged(&self) -> bool {
        self.inner().has_lagged
    }

    /// Has the next reads fail.
    pub(super) fn fail(&self, n_reads: usize) {
        self.inner().failing_reads = n_reads;
    }

    /// Ends all faults.
    pub(super) fn heal(&self) {
        let mut inner = self.inner();
        (inner.stale_reads, inner.failing_reads) = (0, 0);
    }

    /// Deletes what has reached the end of its time to live, and returns it.
    pub(super) fn expire(&self, now_ms: i64) -> Vec<Value> {
        let mut inner = self.inner();
        let (old, kept) =
            std::mem::take(&mut inner.documents).into_iter().partition::<Documents, _>(|(_, document)| {
                let lives_ms = document["ttl"].as_i64().unwrap_or(i64::MAX / 1000) * 1000;
                document["_ts"].as_i64() < Some(now_ms - lives_ms)
            });
        inner.documents = kept;
        old.into_values().collect()
    }

    /// All documents as they are.
    pub(super) fn all(&self) -> Vec<Value> {
        self.inner().documents.values().cloned().collect()
    }

    fn read(&self) -> Result<Vec<Value>, StoreError> {
        let mut inner = self.inner();
        if inner.failing_reads > 0 {
            inner.failing_reads -= 1;
            // While it is away, time passes.
            inner.stale_reads = inner.stale_reads.saturating_sub(2);
            return Err(StoreError::TooMuch { asked: "a container that is away".to_owned(), limit: 0 });
        }
        if inner.stale_reads > 0 {
            inner.stale_reads -= 1;
            inner.has_lagged = true;
            return Ok(inner.past.values().cloned().collect());
        }
        Ok(inner.documents.values().cloned().collect())
    }

    fn facts_of(&self, prefix: &str) -> Result<Vec<Value>, StoreError> {
        let is_fact = |document: &Value| {
            text(document, "bucket").starts_with(prefix)
                && [RESULTS, REJECTS, GAP].contains(&text(document, "type").as_str())
        };
        Ok(self.read()?.into_iter().filter(is_fact).collect())
    }
}

pub(super) fn text(document: &Value, field: &str) -> String {
    document[field].as_str().unwrap_or_default().to_owned()
}

pub(super) fn header(document: &Value) -> Header {
    serde_json::from_value(document.clone()).expect("every document has a header")
}

/// Sorts documents into a stretch.
pub(super) fn stretch_of(documents: Vec<Value>) -> Stretch {
    let mut stretch = Stretch::default();
    for document in documents {
        match text(&document, "type").as_str() {
            RESULTS => {
                stretch.results.push(serde_json::from_value::<ResultsDocument>(document).expect("results"));
            }
            REJECTS => {
                stretch.rejects.push(serde_json::from_value::<RejectsDocument>(document).expect("rejects"));
            }
            GAP => stretch.gaps.push((header(&document).first_sequence, header(&document).last_sequence)),
            _ => {}
        }
    }
    stretch
}

fn overlaps(document: &Value, first: i64, last: i64) -> bool {
    let header = header(document);
    header.last_sequence >= first && header.first_sequence <= last
}

impl StoredFacts for Container {
    fn extent<'a>(&'a self, stream: &'a Stream, _: u32) -> Asked<'a, Option<Extent>> {
        let extent = self.facts_of(&stream.bucket_prefix()).map(|documents| {
            documents.iter().map(|document| Extent::from(&header(document))).reduce(Extent::and)
        });
        ready(extent).boxed()
    }

    fn first<'a>(&'a self, stream: &'a Stream, _: u32) -> Asked<'a, Option<i64>> {
        let documents = self.facts_of(&stream.bucket_prefix());
        let first =
            documents.map(|documents| documents.iter().map(|document| header(document).first_sequence).min());
        ready(first).boxed()
    }

    fn stretch<'a>(
        &'a self,
        stream: &'a Stream,
        n_buckets: u32,
        first: i64,
        last: i64,
    ) -> Asked<'a, Stretch> {
        let is_asked_for = move |document: &Value| {
            let group = header(document).group();
            overlaps(document, first, last) && group.is_none_or(|group| group < n_buckets as usize)
        };
        let stretch = self
            .facts_of(&stream.bucket_prefix())
            .map(|documents| stretch_of(documents.into_iter().filter(is_asked_for).collect()));
        ready(stretch).boxed()
    }

    fn headers<'a>(&'a self, bucket: &'a str, first: i64) -> Asked<'a, Vec<Header>> {
        let headers = self.facts_of(bucket).map(|documents| {
            let headers = documents.iter().map(header);
            headers.filter(|header| header.bucket == bucket && header.last_sequence >= first).collect()
        });
        ready(headers).boxed()
    }

    fn pages<'a>(&'a self, stream: &'a Stream) -> Asked<'a, HashMap<String, Listed>> {
        let prefix = stream.bucket_prefix();
        let listed = self.read().map(|documents| {
            let tables = documents.into_iter().filter(|document| {
                text(document, "type") == "devices" && text(document, "bucket").starts_with(&prefix)
            });
            tables.flat_map(|table| devices_of(&table)).collect()
        });
        ready(listed).boxed()
    }
}

fn devices_of(table: &Value) -> Vec<(String, Listed)> {
    let number = |text: &str, prefix: char| text.rsplit(prefix).next().and_then(|number| number.parse().ok());
    let (bucket, page) = (number(&text(table, "bucket"), '.'), number(&text(table, "id"), '-'));
    let (Some(bucket), Some(page), Some(devices)) = (bucket, page, table["devices"].as_object()) else {
        return Vec::new();
    };
    let heard = |row: &Value| Heard::listed(row[8].as_i64(), row[9].as_i64());
    let listed =
        |(device_id, row): (&String, &Value)| (device_id.clone(), Listed { bucket, page, heard: heard(row) });
    devices.iter().map(listed).collect()
}

/// A blob container.
#[derive(Debug, Default)]
pub(super) struct Blobs {
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    is_away: Mutex<bool>,
}

impl Blobs {
    /// Has all calls fail, or not.
    pub(super) fn set_away(&self, is_away: bool) {
        *self.is_away.lock().unwrap_or_else(PoisonError::into_inner) = is_away;
    }

    fn reach(&self) -> anyhow::Result<MutexGuard<'_, BTreeMap<String, Vec<u8>>>> {
        let is_away = *self.is_away.lock().unwrap_or_else(PoisonError::into_inner);
        anyhow::ensure!(!is_away, "blobs are away");
        Ok(self.blobs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SnapshotStore for Blobs {
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<String>>> {
        let names = self.reach();
        let names =
            names.map(|blobs| blobs.keys().filter(|name| name.starts_with(prefix)).cloned().collect());
        ready(names).boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<u8>>> {
        let found =
            self.reach().and_then(|blobs| blobs.get(name).cloned().ok_or(anyhow::anyhow!("no such blob")));
        ready(found).boxed()
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, anyhow::Result<()>> {
        let put = self.reach().map(|mut blobs| {
            blobs.entry(name.to_owned()).or_insert(bytes);
        });
        ready(put).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<()>> {
        ready(self.reach().map(|mut blobs| drop(blobs.remove(name)))).boxed()
    }
}
