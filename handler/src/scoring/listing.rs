//! In which `devices` table each device is listed, and which tables must be written.
//!
//! Tables are caches: nothing that is decided depends on them.

use std::collections::HashMap;

use wire::documents::{DEVICES_PER_DOCUMENT, DeviceRow};

use super::device::Entry;
use super::heard::Heard;
use super::stored::Listed;

/// Enqueued time after which a table is written though no status changed, in milliseconds.
const PAGE_INTERVAL_MS: i64 = 5 * 60 * 1000;
/// Answers after which a table is written though no status changed: readers apply as many documents to it.
const PAGE_ANSWERS: u32 = 64;

/// The tables of one hub partition.
#[derive(Debug)]
pub struct Listing {
    buckets: Vec<Vec<Page>>,
    /// Tables of devices that earlier processes listed and that have no slot yet.
    known: HashMap<String, Listed>,
}

/// Up to 500 devices that share a `devices` document.
#[derive(Debug, Default)]
struct Page {
    slots: Vec<usize>,
    written_ms: i64,
    /// Answers with readings of its bucket since it was written.
    n_behind: u32,
    is_due: bool,
}

/// A table to be written: its number in its bucket, and its rows by device.
pub type DuePage<'a> = (usize, Vec<(&'a str, DeviceRow)>);

impl Listing {
    /// No tables.
    #[must_use]
    pub fn new(n_buckets: u32) -> Self {
        Self { buckets: (0..n_buckets).map(|_| Vec::new()).collect(), known: HashMap::new() }
    }

    /// Groups of devices in the partition.
    #[must_use]
    pub fn n_buckets(&self) -> u32 {
        u32::try_from(self.buckets.len()).unwrap_or(u32::MAX)
    }

    /// Says which tables list devices that will get slots later.
    pub fn remember(&mut self, known: HashMap<String, Listed>) {
        self.known = known;
    }

    /// Lists a device: where it was listed, else in the last table with room; returns what was known of its pauses.
    pub fn place(&mut self, bucket: usize, device_id: &str, slot: usize) -> (usize, Heard) {
        let pages = &self.buckets[bucket];
        let known = self.known.remove(device_id);
        let page = known.map(|listed| listed.page).unwrap_or_else(|| {
            let is_full = pages.last().is_none_or(|page| page.slots.len() >= DEVICES_PER_DOCUMENT);
            if is_full { pages.len() } else { pages.len() - 1 }
        });
        self.keep(bucket, page, slot);
        (page, known.map(|listed| listed.heard).unwrap_or_default())
    }

    /// Lists a slot in a table.
    pub fn keep(&mut self, bucket: usize, page: usize, slot: usize) {
        let pages = &mut self.buckets[bucket];
        if pages.len() <= page {
            pages.resize_with(page + 1, Page::default);
        }
        pages[page].slots.push(slot);
    }

    /// Forgets who is listed where, but not when tables were written.
    pub fn forget_slots(&mut self) {
        for page in self.buckets.iter_mut().flatten() {
            page.slots.clear();
        }
    }

    /// Has a table written with the next answer.
    pub fn mark(&mut self, bucket: usize, page: usize) {
        if let Some(page) = self.buckets[bucket].get_mut(page) {
            page.is_due = true;
        }
    }

    /// Takes the tables of a bucket that must be written now.
    pub fn take_due<'a>(
        &mut self,
        entries: &'a [Entry],
        bucket: usize,
        enqueued_to: i64,
    ) -> Vec<DuePage<'a>> {
        let mut due = Vec::new();
        for (number, page) in self.buckets[bucket].iter_mut().enumerate() {
            page.n_behind += 1;
            let is_old = enqueued_to.saturating_sub(page.written_ms) >= PAGE_INTERVAL_MS;
            if page.slots.is_empty() || !(page.is_due || is_old || page.n_behind >= PAGE_ANSWERS) {
                continue;
            }
            (page.is_due, page.written_ms, page.n_behind) = (false, enqueued_to, 0);
            let rows = page.slots.iter().filter_map(|slot| {
                let entry = &entries[*slot];
                Some((&*entry.id, entry.row()?))
            });
            due.push((number, rows.collect()));
        }
        due
    }
}
