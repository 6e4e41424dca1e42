//! Reads back, from Cosmos DB, the facts that scoring continues from.

use std::collections::HashMap;

use azure_data_cosmos::Query;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use wire::documents::{DEVICES_ID, DeviceRow, GAP, Header, RejectsDocument, ResultsDocument};
use wire::position::{REJECT_GROUP, Stream};

use super::{HEADER_COLUMNS, Question, Store, StoreError};
use crate::scoring::stored::{Asked, Extent, Heard, Listed, StoredFacts, Stretch};

/// Buckets read at the same time.
const PARALLEL_READS: usize = 16;
/// Tables that a bucket may have: a million devices in one.
const MAX_PAGES: usize = 2000;

/// Which devices a table lists.
#[derive(Debug, Deserialize)]
struct Table {
    id: String,
    bucket: String,
    devices: HashMap<String, Row>,
}

/// A device in a table: one of another version says nothing but that it is there.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Row {
    Known(DeviceRow),
    Other(serde::de::IgnoredAny),
}

impl StoredFacts for Store {
    fn extent<'a>(&'a self, stream: &'a Stream, n_buckets: u32) -> Asked<'a, Option<Extent>> {
        async move {
            let newest = self.utmost(stream, n_buckets, "c.lastSequence DESC").await?;
            Ok(newest.iter().map(Extent::from).reduce(Extent::and))
        }
        .boxed()
    }

    fn first<'a>(&'a self, stream: &'a Stream, n_buckets: u32) -> Asked<'a, Option<i64>> {
        async move {
            let oldest = self.utmost(stream, n_buckets, "c.firstSequence ASC").await?;
            Ok(oldest.into_iter().map(|header| header.first_sequence).min())
        }
        .boxed()
    }

    fn stretch<'a>(
        &'a self,
        stream: &'a Stream,
        n_buckets: u32,
        first: i64,
        last: i64,
    ) -> Asked<'a, Stretch> {
        // Bucket by bucket: one question across all of them visits every physical partition of the container in turn.
        let prefix = stream.bucket_prefix();
        let results = stream::iter(0..n_buckets)
            .map(move |group| self.results(format!("{prefix}{group}"), first, last))
            .buffer_unordered(PARALLEL_READS)
            .try_concat();
        async move {
            let (results, rejects) = futures::try_join!(results, self.rejects(stream, first, last))?;
            let (gaps, rejects): (Vec<_>, Vec<_>) =
                rejects.into_iter().partition(|document| document.header.kind == GAP);
            let stretch_of =
                |document: RejectsDocument| (document.header.first_sequence, document.header.last_sequence);
            Ok(Stretch { results, rejects, gaps: gaps.into_iter().map(stretch_of).collect() })
        }
        .boxed()
    }

    fn headers<'a>(&'a self, bucket: &'a str, first: i64) -> Asked<'a, Vec<Header>> {
        async move {
            let text = format!(
                "SELECT {HEADER_COLUMNS} FROM c \
                 WHERE c.type IN ('results', 'rejects', 'gap') AND c.lastSequence >= @first"
            );
            let query = Query::from(text).with_parameter("@first", first);
            self.all(Question::within(&format!("who speaks for {first} and later"), bucket, query)?).await
        }
        .boxed()
    }

    fn pages<'a>(&'a self, stream: &'a Stream) -> Asked<'a, HashMap<String, Listed>> {
        async move {
            let text = "SELECT c.id, c.bucket, c.devices FROM c \
                        WHERE c.type = 'devices' AND STARTSWITH(c.bucket, @prefix)";
            let prefix = stream.bucket_prefix();
            let query = Query::from(text).with_parameter("@prefix", &prefix);
            let question = Question::across(&format!("who is listed in buckets `{prefix}*`"), query)?;
            let tables: Vec<Table> = self.all(question).await?;
            let placed = tables.into_iter().filter_map(|table| Some((table.place()?, table.devices)));
            Ok(placed
                .flat_map(|((bucket, page), devices)| {
                    devices
                        .into_iter()
                        .map(move |(device_id, row)| (device_id, Listed { bucket, page, heard: row.heard() }))
                })
                .collect())
        }
        .boxed()
    }
}

impl Table {
    /// Numbers of its group, and in it.
    fn place(&self) -> Option<(usize, usize)> {
        let bucket = self.bucket.rsplit('.').next()?.parse().ok()?;
        Some((bucket, page_number(&self.id)?))
    }
}

impl Row {
    fn heard(&self) -> Heard {
        match self {
            Self::Known(row) => Heard::listed(row.arrived, row.allowance),
            Self::Other(_) => Heard::default(),
        }
    }
}

impl Store {
    /// The first of every bucket's facts documents in an order.
    ///
    /// It is one document at an end of an index, whose price does not grow with the bucket; that of an aggregate does.
    async fn utmost(&self, stream: &Stream, n_buckets: u32, order: &str) -> Result<Vec<Header>, StoreError> {
        let text = format!(
            "SELECT TOP 1 {HEADER_COLUMNS} FROM c WHERE c.type IN ('results', 'rejects', 'gap') ORDER BY {order}"
        );
        let prefix = stream.bucket_prefix();
        let groups = (0..n_buckets).map(|group| group.to_string()).chain([REJECT_GROUP.to_owned()]);
        stream::iter(groups)
            .map(|group| {
                let (bucket, query) = (format!("{prefix}{group}"), Query::from(text.as_str()));
                async move {
                    self.all(Question::within(&format!("the first by {order}"), &bucket, Ok(query))?).await
                }
            })
            .buffer_unordered(PARALLEL_READS)
            .try_concat()
            .await
    }

    async fn results(
        &self,
        bucket: String,
        first: i64,
        last: i64,
    ) -> Result<Vec<ResultsDocument>, StoreError> {
        let text = "SELECT * FROM c WHERE c.type = 'results' AND c.lastSequence >= @first AND c.firstSequence <= @last";
        let query = Query::from(text)
            .with_parameter("@first", first)
            .and_then(|query| query.with_parameter("@last", last));
        self.all(Question::within(&format!("results {first} to {last}"), &bucket, query)?).await
    }

    /// Rejects and gaps; a gap is a header alone.
    async fn rejects(
        &self,
        stream: &Stream,
        first: i64,
        last: i64,
    ) -> Result<Vec<RejectsDocument>, StoreError> {
        let text = "SELECT * FROM c WHERE c.type IN ('rejects', 'gap') \
                    AND c.lastSequence >= @first AND c.firstSequence <= @last";
        let query = Query::from(text)
            .with_parameter("@first", first)
            .and_then(|query| query.with_parameter("@last", last));
        let bucket = format!("{}{REJECT_GROUP}", stream.bucket_prefix());
        self.all(Question::within(&format!("rejects {first} to {last}"), &bucket, query)?).await
    }
}

/// The number in a table's id.
fn page_number(id: &str) -> Option<usize> {
    id.strip_prefix(DEVICES_ID)?.parse().ok().filter(|page| *page < MAX_PAGES)
}
