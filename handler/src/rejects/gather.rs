//! From documents, newest first, to the rejects of one page.
//!
//! A document states the newest enqueued time of its batch, so a reject's place is settled once every document that
//! ends at its time or later was seen. What is settled is enough for a page long before all documents were read.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use wire::api::RejectView;
use wire::documents::{Header, RejectEntry, RejectsDocument};

use super::place::{Cursor, Place};
use super::{Copy, Question};
use crate::store::StoreError;

/// Documents after which a page ends, however few rejects were asked for among them.
const ENOUGH_DOCUMENTS: usize = 512;
/// Bytes of text after which a page ends.
const ENOUGH_BYTES: usize = 8 * 1024 * 1024;
/// Documents and bytes that one enqueued time may need: several partitions' batches, each stored several times.
const MOST_DOCUMENTS: usize = 8 * ENOUGH_DOCUMENTS;
const MOST_BYTES: usize = 8 * ENOUGH_BYTES;

/// Gathers one page.
pub(super) struct Gathering<'a> {
    question: &'a Question<'a>,
    held: BTreeMap<Place, Vec<Copy>>,
    /// Every document that ends at this time or later was seen; `None` before the first one.
    settled: Option<i64>,
    /// Where the documents at hand end.
    end: Option<i64>,
    n_documents: usize,
    n_bytes: usize,
    stop: Option<Stop>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Enough,
    TooMuch,
}

/// What a page consists of.
pub(super) struct Found {
    /// Places in their order, each with all documents' copies.
    pub(super) places: Vec<(Place, Vec<Copy>)>,
    /// Where the next page begins.
    pub(super) next: Option<Cursor>,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(question: &'a Question<'a>) -> Self {
        Self {
            question,
            held: BTreeMap::new(),
            settled: None,
            end: None,
            n_documents: 0,
            n_bytes: 0,
            stop: None,
        }
    }

    /// Takes the next older document, or says that there is enough.
    pub(super) fn take(&mut self, document: RejectsDocument) -> ControlFlow<()> {
        let end = document.header.enqueued_to;
        if self.end.is_some_and(|earlier| end < earlier) {
            self.settled = self.end;
            if self.is_enough() {
                self.stop = Some(Stop::Enough);
                return ControlFlow::Break(());
            }
        }
        self.end = Some(end);
        if self.n_documents == MOST_DOCUMENTS || self.n_bytes > MOST_BYTES {
            self.stop = Some(Stop::TooMuch);
            return ControlFlow::Break(());
        }
        self.add(document);
        ControlFlow::Continue(())
    }

    /// Ends the page.
    pub(super) fn finish(self) -> Result<Found, StoreError> {
        let settled = match self.stop {
            None => None,
            Some(Stop::Enough) => self.settled,
            Some(Stop::TooMuch) => {
                let asked = "rejects of one moment".to_owned();
                return Err(StoreError::TooMuch { asked, limit: MOST_DOCUMENTS });
            }
        };
        let is_settled = |place: &Place| settled.is_none_or(|settled| place.time >= settled);
        let mut settled_places = self.held.into_iter().filter(|(place, _)| is_settled(place));
        let places: Vec<_> = settled_places.by_ref().take(self.question.limit).collect();
        let next = match (settled_places.next(), places.last()) {
            (Some(_), Some((last, _))) => Some(Cursor::after(last)),
            _ => settled.map(Cursor::before),
        };
        Ok(Found { places, next })
    }

    fn is_enough(&self) -> bool {
        let settled = self.settled.unwrap_or(i64::MAX);
        let n_settled = self.held.keys().take_while(|place| place.time >= settled).count();
        n_settled > self.question.limit
            || self.n_documents >= ENOUGH_DOCUMENTS
            || self.n_bytes >= ENOUGH_BYTES
    }

    fn add(&mut self, document: RejectsDocument) {
        self.n_documents += 1;
        let header = document.header;
        // An event's text stands with its first reject; it is shown with the first one that is asked for.
        let mut text_of = None;
        let mut text = None;
        for mut entry in document.rejects {
            if text_of != Some(entry.sequence) {
                text_of = Some(entry.sequence);
                text = Some(std::mem::take(&mut entry.text).concat());
                self.n_bytes += text.as_ref().map_or(0, String::len);
            }
            let place = place_of(&header, &entry);
            if self.is_asked_for(&place, &entry) {
                let copy = copy_of(&header, entry, text.take());
                self.held.entry(place).or_default().push(copy);
            }
        }
    }

    fn is_asked_for(&self, place: &Place, entry: &RejectEntry) -> bool {
        let Question { device_id, reason, from, to, after, .. } = self.question;
        let is_known = entry.enqueued_at.is_some();
        device_id.is_none_or(|id| entry.device_id.as_deref() == Some(id))
            && reason.is_none_or(|reason| entry.reason == reason)
            && from.is_none_or(|from| is_known && place.time >= from)
            && to.is_none_or(|to| is_known && place.time <= to)
            && after.as_ref().is_none_or(|after| after.admits(place))
    }
}

fn place_of(header: &Header, entry: &RejectEntry) -> Place {
    Place {
        time: entry.enqueued_at.unwrap_or_default(),
        bucket: header.bucket.clone(),
        sequence: entry.sequence,
        index: entry.index,
    }
}

fn copy_of(header: &Header, entry: RejectEntry, text: Option<String>) -> Copy {
    Copy {
        // A call without a place in a stream has no partition, and shares its bucket with all such calls.
        bucket: (!header.partition.is_empty()).then(|| header.bucket.clone()),
        document_id: header.id.clone(),
        view: RejectView {
            enqueued_at: entry.enqueued_at,
            device_id: entry.device_id,
            reason: entry.reason,
            detail: entry.detail,
            hub: header.hub.clone(),
            partition: header.partition.clone(),
            sequence: entry.sequence,
            index: entry.index,
            count: entry.count,
            cut: entry.cut,
            text,
        },
    }
}
