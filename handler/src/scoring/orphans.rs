//! Stored facts together with documents that are not stored yet: those of answers that were passed over and overruled.

use std::collections::HashMap;

use futures::FutureExt;
use serde::de::DeserializeOwned;
use wire::documents::{GAP, Header, REJECTS, RESULTS};
use wire::invocation::RawObject;
use wire::position::Stream;

use super::stored::{Asked, Extent, Listed, StoredFacts, Stretch};

/// Storage as it will be when some documents have been written.
#[derive(Debug, Clone, Copy)]
pub(super) struct WithOrphans<'a> {
    /// Storage as it is.
    pub(super) stored: &'a dyn StoredFacts,
    /// What is to be written.
    pub(super) orphans: &'a [RawObject],
}

impl WithOrphans<'_> {
    fn add_to(&self, stretch: &mut Stretch, first: i64, last: i64) {
        for document in self.orphans {
            let Some(header) = header_of(document) else { continue };
            if header.last_sequence < first || header.first_sequence > last {
                continue;
            }
            match header.kind.as_str() {
                RESULTS => read_into(&mut stretch.results, document),
                REJECTS => read_into(&mut stretch.rejects, document),
                _ => stretch.gaps.push((header.first_sequence, header.last_sequence)),
            }
        }
    }
}

impl StoredFacts for WithOrphans<'_> {
    fn extent<'a>(&'a self, stream: &'a Stream, n_buckets: u32) -> Asked<'a, Option<Extent>> {
        self.stored.extent(stream, n_buckets)
    }

    fn first<'a>(&'a self, stream: &'a Stream, n_buckets: u32) -> Asked<'a, Option<i64>> {
        self.stored.first(stream, n_buckets)
    }

    fn stretch<'a>(
        &'a self,
        stream: &'a Stream,
        n_buckets: u32,
        first: i64,
        last: i64,
    ) -> Asked<'a, Stretch> {
        async move {
            let mut stretch = self.stored.stretch(stream, n_buckets, first, last).await?;
            self.add_to(&mut stretch, first, last);
            Ok(stretch)
        }
        .boxed()
    }

    fn headers<'a>(&'a self, bucket: &'a str, first: i64) -> Asked<'a, Vec<Header>> {
        self.stored.headers(bucket, first)
    }

    fn pages<'a>(&'a self, stream: &'a Stream) -> Asked<'a, HashMap<String, Listed>> {
        self.stored.pages(stream)
    }
}

fn read_into<T: DeserializeOwned>(documents: &mut Vec<T>, document: &RawObject) {
    match serde_json::from_str(document.json()) {
        Ok(read) => documents.push(read),
        Err(error) => {
            tracing::error!(%error, "a document of this process cannot be read: its events count as lost");
        }
    }
}

/// What a document of facts says of itself; `None` for one that holds none.
pub(super) fn header_of(document: &RawObject) -> Option<Header> {
    let header: Header = serde_json::from_str(document.json()).ok()?;
    [RESULTS, REJECTS, GAP].contains(&header.kind.as_str()).then_some(header)
}
