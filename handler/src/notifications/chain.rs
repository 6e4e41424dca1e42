//! What a process knows of a chain of notifications, and what it finds to be told next.
//!
//! Enters: what is stored, and the time. Leaves: entries. It writes nothing.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::choose::{Choice, Entry, Standing};
use super::told::{Name, Told};
use super::{Channel, reminders, ripeness};
use crate::fleet::FleetReader;
use crate::people::{Acknowledgements, Decisions, Mutes};
use crate::store::{Store, StoreError, StoredStep, ToldNotification};

/// How far each look goes back behind the last one, in seconds: documents are stored by many machines, and reads may lag.
const OVERLAP_S: i64 = 600;
/// How long what was told is remembered, in seconds: longer than a step may be news.
const REMEMBERED_S: i64 = 25 * 3600;
/// How far the first look of all goes back, in seconds.
const FIRST_LOOK_S: i64 = 24 * 3600;
/// Steps in a notification; what is more follows in another one.
const MOST_STEPS: usize = 50_000;
/// Names that a process gathers beside those of its first look.
const MOST_TOLD: usize = 200_000;
/// Time between looks for alerts to remind of: they need the whole fleet.
const REMINDER_LOOK_MS: i64 = 10 * 60_000;

/// What a process knows of a chain.
#[derive(Debug, Default)]
pub(super) struct Chain {
    told: Told,
    /// How much of it was read at first.
    n_told_at_first: usize,
    /// The newest number; 0 before the first.
    number: i64,
    /// How far steps were looked at with nothing left to tell, in seconds of the account's clock.
    seen_to: i64,
    /// When alerts to remind of were looked for, in epoch milliseconds.
    reminded_at: i64,
}

/// Where news come from, and for whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) store: &'a Store,
    pub(super) fleet: &'a FleetReader,
    pub(super) channel: &'a Channel,
}

impl Chain {
    /// The number of the notification that comes next.
    pub(super) fn next_number(&self) -> i64 {
        self.number + 1
    }

    /// What is to be told now, and how far steps were looked at; `None` when there is nothing, or not yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    pub(super) async fn news(
        &mut self,
        sources: Sources<'_>,
        now: i64,
    ) -> Result<Option<(Vec<Entry>, i64)>, Arc<StoreError>> {
        let Sources { store, fleet, channel } = sources;
        self.catch_up(store, channel.alerts_chain(), now).await?;
        let (steps, seen_to) = self.untold_steps(store).await?;
        let looks_for_reminders = (now - self.reminded_at).abs() >= REMINDER_LOOK_MS;
        if steps.is_empty() && !looks_for_reminders {
            self.seen_to = seen_to;
            return Ok(None);
        }
        let fleet = fleet.read().await?;
        let open = fleet.open_alerts().map(|(_, alert)| alert.opened_at);
        let oldest = steps.iter().map(|step| step.opened_at).chain(open).min().unwrap_or(now);
        let mutes = Mutes::read(store, oldest.min(now)).await?;
        let standing = Standing::of(&fleet);
        let choice = Choice {
            told: &self.told,
            standing: &standing,
            mutes: &mutes,
            critical_only: channel.critical_only(),
        };
        let news = choice.among(steps);
        if news.n_left_out > 0 {
            tracing::debug!(
                n_left_out = news.n_left_out,
                "alerts are left out: muted, void, too old, or for nobody"
            );
        }
        let mut entries = news.entries;
        if !entries.is_empty() && !ripeness::is_ripe(news.first_stored_at, news.last_stored_at, now) {
            return Ok(None);
        }
        if looks_for_reminders {
            let critical = reminders::critical(&fleet);
            let ids = critical.clone().map(|(_, alert)| alert.alert_id.as_str());
            let acknowledgements = Acknowledgements::read(store, ids).await?;
            let decisions = Decisions { acknowledgements, mutes };
            let fresh: Vec<Entry> = reminders::due(critical, &decisions, &self.told, now);
            // Of what is told for the first time nobody must be reminded.
            let is_news =
                |entry: &Entry| entries.iter().any(|news| news.alert.alert_id == entry.alert.alert_id);
            let mut fresh: Vec<Entry> = fresh.into_iter().filter(|entry| !is_news(entry)).collect();
            entries.append(&mut fresh);
            self.reminded_at = now;
        }
        if entries.is_empty() {
            self.seen_to = seen_to;
            return Ok(None);
        }
        Ok(Some((entries, seen_to)))
    }

    /// Learns what was told since the last look, by any process.
    async fn catch_up(&mut self, store: &Store, name: &str, now: i64) -> Result<(), StoreError> {
        if self.told.len() > self.n_told_at_first + MOST_TOLD {
            // Most of it is too old to matter: what still does is read anew.
            (self.told, self.number) = (Told::default(), 0);
        }
        let is_first = self.number == 0;
        let newer = if self.number > 0 {
            store.told_after(name, self.number).await?
        } else if let Some(newest) = store.newest_told(name).await? {
            let since = newest.seen_to - OVERLAP_S - REMEMBERED_S;
            let mut told = store.told_since(name, since).await?;
            told.push(newest);
            told
        } else {
            self.seen_to = self.seen_to.max(now / 1000 - FIRST_LOOK_S);
            Vec::new()
        };
        for ToldNotification { number, seen_to, told, .. } in newer {
            self.told.add_written(&told);
            self.number = self.number.max(number);
            self.seen_to = self.seen_to.max(seen_to);
        }
        if is_first {
            self.n_told_at_first = self.told.len();
        }
        Ok(())
    }

    /// Steps that were not told, and the time of the last one that was looked at.
    async fn untold_steps(&self, store: &Store) -> Result<(Vec<StoredStep>, i64), StoreError> {
        let mut seen_to = self.seen_to;
        let mut steps = Vec::new();
        store
            .steps_stored_after(self.seen_to - OVERLAP_S, |step| {
                seen_to = seen_to.max(step.stored_at);
                if !self.told.holds(Name::of_step(&step.alert_id, &step.step)) {
                    steps.push(step);
                }
                if steps.len() < MOST_STEPS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .await?;
        Ok((steps, seen_to))
    }
}
