//! Rejected events as they are stored, newest first, a page at a time.
//!
//! A page may need many documents, and each of them is as large as devices like: reading stops at a bound, and the
//! cursor says where the next page goes on.

mod gather;
mod place;

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, TryStreamExt, stream};
use wire::api::RejectView;
use wire::documents::Header;
use wire::stored::Precedence;

use self::gather::{Found, Gathering};
pub use self::place::Cursor;
use crate::store::{ALL_TIMES, Store, StoreError};

/// Buckets that are asked at the same time who speaks for what.
const PARALLEL_READS: usize = 16;
/// How far the hub's clock may go back within a document, in milliseconds.
const CLOCK_SLACK_MS: i64 = 60_000;

/// Which rejects are asked for.
#[derive(Debug, Clone, Default)]
pub struct Question<'a> {
    /// Only of this device, as the hub authenticated it.
    pub device_id: Option<&'a str>,
    /// Only with this reason.
    pub reason: Option<&'a str>,
    /// Only enqueued at this time or later, in epoch milliseconds.
    pub from: Option<i64>,
    /// Only enqueued at this time or earlier, in epoch milliseconds.
    pub to: Option<i64>,
    /// Only after where the earlier page ended.
    pub after: Option<Cursor>,
    /// Most rejects in the page.
    pub limit: usize,
}

/// A page of rejects, newest first.
#[derive(Debug, Default)]
pub struct Page {
    /// The rejects; fewer than the limit, or none, where many documents hold few that are asked for.
    pub rejects: Vec<RejectView>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// Reads a page.
///
/// # Errors
///
/// [`StoreError`] when the store cannot be read.
pub async fn read(store: &Store, question: &Question<'_>) -> Result<Page, StoreError> {
    let from = question.from.unwrap_or(ALL_TIMES.0);
    let newest = [question.to, question.after.as_ref().map(|after| after.time)].into_iter().flatten().min();
    let to = newest.map_or(ALL_TIMES.1, |newest| newest.saturating_add(CLOCK_SLACK_MS));
    let mut gathering = Gathering::new(question);
    store.rejects_newest_first(from, to, |document| gathering.take(document)).await?;
    let Found { places, next } = gathering.finish()?;
    let speakers = speakers(store, places.iter().flat_map(|(_, copies)| copies)).await?;
    let copies = places.into_iter().flat_map(|(_, copies)| copies);
    let rejects = copies.filter(|copy| speakers.count(copy)).map(|copy| copy.view).collect();
    Ok(Page { rejects, next })
}

/// A stored reject, and which document says it.
#[derive(Debug)]
struct Copy {
    /// Bucket of the document; `None` for a document of no stream, which nothing overrules.
    bucket: Option<String>,
    document_id: String,
    view: RejectView,
}

/// Who speaks for which sequence numbers, by bucket.
struct Speakers(HashMap<String, (Precedence, HashMap<String, usize>)>);

impl Speakers {
    /// Whether the document of a copy counts for its sequence number.
    fn count(&self, copy: &Copy) -> bool {
        let Some((precedence, documents)) = copy.bucket.as_ref().and_then(|bucket| self.0.get(bucket)) else {
            return true;
        };
        // A document that has expired meanwhile was still read.
        documents
            .get(&copy.document_id)
            .is_none_or(|document| precedence.counts(*document, copy.view.sequence))
    }
}

/// Asks the buckets of all copies who speaks for their sequence numbers.
async fn speakers<'a>(store: &Store, copies: impl Iterator<Item = &'a Copy>) -> Result<Speakers, StoreError> {
    let mut stretches: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for copy in copies {
        let Some(bucket) = &copy.bucket else { continue };
        let sequence = copy.view.sequence;
        let (first, last) = stretches.entry(bucket.clone()).or_insert((sequence, sequence));
        (*first, *last) = (sequence.min(*first), sequence.max(*last));
    }
    let by_bucket = stream::iter(stretches)
        .map(|(bucket, (first, last))| async move {
            let headers = store.reject_headers(&bucket, first, last).await?;
            Ok((bucket, precedence_of(headers)))
        })
        .buffer_unordered(PARALLEL_READS)
        .try_collect()
        .await?;
    Ok(Speakers(by_bucket))
}

fn precedence_of(headers: Vec<Header>) -> (Precedence, HashMap<String, usize>) {
    let precedence = Precedence::of(&headers.iter().collect::<Vec<_>>());
    (precedence, headers.into_iter().map(|header| header.id).zip(0..).collect())
}

#[cfg(test)]
mod tests;
