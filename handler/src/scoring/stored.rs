//! What the fold asks of storage: facts that are there already, and snapshots of states.
//!
//! The two traits are the whole of it, so that the protocol can be played through without any service.

use std::collections::HashMap;
use std::fmt::Debug;

use futures::future::BoxFuture;
use wire::documents::{Header, RejectsDocument, ResultsDocument};
use wire::position::Stream;

pub use super::heard::Heard;
use crate::store::StoreError;

/// An answer from storage.
pub type Asked<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// How far the stored facts of a stream reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Highest sequence number that a document speaks for.
    pub last: i64,
    /// Highest term of those who went so far.
    pub term: u32,
    /// Newest enqueued time, in epoch milliseconds.
    pub enqueued_to: i64,
}

impl Extent {
    /// The extent of two groups together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            last: self.last.max(other.last),
            term: self.term.max(other.term),
            enqueued_to: self.enqueued_to.max(other.enqueued_to),
        }
    }
}

impl From<&Header> for Extent {
    fn from(header: &Header) -> Self {
        Self { last: header.last_sequence, term: header.term, enqueued_to: header.enqueued_to }
    }
}

/// A stretch of a stream, read back.
#[derive(Debug, Default)]
pub struct Stretch {
    /// Documents of readings that speak for any part of it.
    pub results: Vec<ResultsDocument>,
    /// Documents of rejects and skips that speak for any part of it.
    pub rejects: Vec<RejectsDocument>,
    /// Stretches known to be lost, from first to last sequence number.
    pub gaps: Vec<(i64, i64)>,
}

/// Where a device is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Number of its group.
    pub bucket: usize,
    /// Number of the group's table.
    pub page: usize,
    /// When it was heard.
    pub heard: Heard,
}

/// Facts as they are stored.
pub trait StoredFacts: Debug + Send + Sync {
    /// How far a stream's facts reach; `None` when there are none.
    fn extent<'a>(&'a self, stream: &'a Stream, n_buckets: u32) -> Asked<'a, Option<Extent>>;

    /// Lowest sequence number that a document of a stream speaks for; `None` when there is none.
    fn first<'a>(&'a self, stream: &'a Stream, n_buckets: u32) -> Asked<'a, Option<i64>>;

    /// All facts of a stream that speak for `first..=last`.
    fn stretch<'a>(&'a self, stream: &'a Stream, n_buckets: u32, first: i64, last: i64)
    -> Asked<'a, Stretch>;

    /// Headers of a bucket's facts that speak for `first` or anything later.
    fn headers<'a>(&'a self, bucket: &'a str, first: i64) -> Asked<'a, Vec<Header>>;

    /// Where each device of a stream is listed, in whatever bucket that is.
    fn pages<'a>(&'a self, stream: &'a Stream) -> Asked<'a, HashMap<String, Listed>>;
}

/// Where snapshots are kept: immutable objects with names.
pub trait SnapshotStore: Debug + Send + Sync {
    /// Names that begin with `prefix`, in any order.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<String>>>;

    /// A snapshot's bytes.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<u8>>>;

    /// Keeps a snapshot; one of this name that is there already stays.
    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, anyhow::Result<()>>;

    /// Forgets a snapshot.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<()>>;
}
