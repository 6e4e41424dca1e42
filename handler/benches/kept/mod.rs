//! Storage in memory for what must be recovered: every answer's results, and snapshots.

use std::collections::HashMap;
use std::sync::Mutex;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use handler::scoring::stored::{Asked, Extent, Listed, SnapshotStore, StoredFacts, Stretch};
use serde_json::Value;
use wire::documents::{Header, RESULTS, ResultsDocument};
use wire::position::Stream;

/// Storage that keeps every answer's results; batches must be stored in order.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<Vec<ResultsDocument>>);

impl Answers {
    /// Stores an answer's results.
    pub(crate) fn add(&self, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).expect("an answer");
        let documents = answer["Outputs"]["documents"].as_array().cloned().unwrap_or_default();
        let results = documents.into_iter().filter(|document| document["type"] == RESULTS);
        let results = results.map(|document| serde_json::from_value(document).expect("results"));
        self.0.lock().expect("not poisoned").extend(results);
    }

    /// Documents that speak for `first` or later, and begin at `last` or earlier.
    fn between(&self, first: i64, last: i64) -> Vec<ResultsDocument> {
        let documents = self.0.lock().expect("not poisoned");
        let from = documents.partition_point(|document| document.header.last_sequence < first);
        let to = documents.partition_point(|document| document.header.first_sequence <= last);
        documents[from..to.max(from)].to_vec()
    }

    fn newest(&self) -> Option<Header> {
        self.0.lock().expect("not poisoned").last().map(|document| document.header.clone())
    }
}

impl StoredFacts for Answers {
    fn extent<'a>(&'a self, stream: &'a Stream, _: u32) -> Asked<'a, Option<Extent>> {
        let newest = self.newest().filter(|newest| newest.bucket.starts_with(&stream.bucket_prefix()));
        ready(Ok(newest.as_ref().map(Extent::from))).boxed()
    }

    fn first<'a>(&'a self, _: &'a Stream, _: u32) -> Asked<'a, Option<i64>> {
        let documents = self.0.lock().expect("not poisoned");
        ready(Ok(documents.first().map(|document| document.header.first_sequence))).boxed()
    }

    fn stretch<'a>(&'a self, _: &'a Stream, _: u32, first: i64, last: i64) -> Asked<'a, Stretch> {
        ready(Ok(Stretch { results: self.between(first, last), ..Stretch::default() })).boxed()
    }

    fn headers<'a>(&'a self, bucket: &'a str, first: i64) -> Asked<'a, Vec<Header>> {
        let headers = self.between(first, i64::MAX).into_iter().map(|document| document.header);
        ready(Ok(headers.filter(|header| header.bucket == bucket).collect())).boxed()
    }

    fn pages<'a>(&'a self, _: &'a Stream) -> Asked<'a, HashMap<String, Listed>> {
        ready(Ok(HashMap::new())).boxed()
    }
}

/// Snapshots by name.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<HashMap<String, Vec<u8>>>);

impl Shelf {
    /// Puts something else in place of every snapshot.
    pub(crate) fn replace_each(&self, with: impl Fn(&[u8]) -> Vec<u8>) {
        for bytes in self.0.lock().expect("not poisoned").values_mut() {
            *bytes = with(bytes);
        }
    }
}

impl SnapshotStore for Shelf {
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<String>>> {
        let names = self.0.lock().expect("not poisoned");
        ready(Ok(names.keys().filter(|name| name.starts_with(prefix)).cloned().collect())).boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<u8>>> {
        let bytes = self.0.lock().expect("not poisoned").get(name).cloned();
        ready(bytes.ok_or_else(|| anyhow::anyhow!("no snapshot `{name}`"))).boxed()
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, anyhow::Result<()>> {
        self.0.lock().expect("not poisoned").entry(name.to_owned()).or_insert(bytes);
        ready(Ok(())).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<()>> {
        self.0.lock().expect("not poisoned").remove(name);
        ready(Ok(())).boxed()
    }
}
