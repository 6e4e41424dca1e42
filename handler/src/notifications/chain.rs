//! What a process knows of a chain of notifications, and what it finds to be told next.
//!
//! Enters: what is stored, and the time. Leaves: entries. It writes nothing.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::choose::{Choice, Entry, Standing};
use super::ripeness::{self, Ripe};
use super::told::{Name, Told};
use super::{Channel, reminders};
use crate::fleet::{Fleet, FleetReader};
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
    /// Steps that were decided to be told to nobody: looks overlap, and would decide on them again and again.
    left_out: Told,
    /// How much of what was told was read at first.
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

/// What a look found.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing to tell, or not yet.
    Quiet,
    /// Something is to be told in so many milliseconds, before the next look comes.
    Soon(i64),
    /// This is to be told now; and how far steps were looked at.
    News(Vec<Entry>, i64),
}

impl Chain {
    /// The number of the notification that comes next.
    pub(super) fn next_number(&self) -> i64 {
        self.number + 1
    }

    /// What is to be told.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    pub(super) async fn news(&mut self, sources: Sources<'_>, now: i64) -> Result<Found, Arc<StoreError>> {
        let Sources { store, fleet, channel } = sources;
        self.catch_up(store, channel.alerts_chain(), now).await?;
        let (steps, seen_to) = self.untold_steps(store).await?;
        let looks_for_reminders = (now - self.reminded_at).abs() >= REMINDER_LOOK_MS;
        if steps.is_empty() && !looks_for_reminders {
            self.seen_to = seen_to;
            return Ok(Found::Quiet);
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
        self.leave_out(&news.left_out);
        let mut entries = news.entries;
        if !entries.is_empty() {
            match ripeness::of(news.first_stored_at, news.last_stored_at, now) {
                Ripe::Now => {}
                Ripe::In(pause_ms) => return Ok(Found::Soon(pause_ms)),
                Ripe::Later => return Ok(Found::Quiet),
            }
        }
        if looks_for_reminders {
            let mut due = self.reminders(store, &fleet, mutes, now).await?;
            // Of what is told for the first time nobody must be reminded.
            let news: HashSet<String> = entries.iter().map(|entry| entry.alert.alert_id.clone()).collect();
            due.retain(|entry| !news.contains(&entry.alert.alert_id));
            entries.append(&mut due);
            self.reminded_at = now;
        }
        if entries.is_empty() {
            self.seen_to = seen_to;
            return Ok(Found::Quiet);
        }
        Ok(Found::News(entries, seen_to))
    }

    /// What is to be reminded of.
    async fn reminders(
        &self,
        store: &Store,
        fleet: &Fleet,
        mutes: Mutes,
        now: i64,
    ) -> Result<Vec<Entry>, StoreError> {
        let critical = reminders::critical(fleet);
        let ids = critical.clone().map(|(_, alert)| alert.alert_id.as_str());
        let acknowledgements = Acknowledgements::read(store, ids).await?;
        Ok(reminders::due(critical, &Decisions { acknowledgements, mutes }, &self.told, now))
    }

    /// Remembers steps that nobody is told of.
    fn leave_out(&mut self, names: &[Name]) {
        if names.is_empty() {
            return;
        }
        tracing::debug!(n_steps = names.len(), "steps are left out: muted, void, too old, or for nobody");
        if self.left_out.len() > MOST_TOLD {
            // They are decided on once more.
            self.left_out = Told::default();
        }
        names.iter().for_each(|name| self.left_out.add(*name));
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
            let seen_to = newest.seen_to - OVERLAP_S - REMEMBERED_S;
            // Reminders say nothing of how far steps were looked at.
            let created_at = now - REMEMBERED_S * 1000;
            let mut told = store.told_since(name, seen_to, created_at).await?;
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

    /// Steps that are to be decided on, and the time of the last one that was looked at.
    async fn untold_steps(&self, store: &Store) -> Result<(Vec<StoredStep>, i64), StoreError> {
        let mut sieve = Sieve::new(self);
        store.steps_stored_after(self.seen_to - OVERLAP_S, |step| sieve.take(step)).await?;
        let seen_to = sieve.seen_to;
        Ok((sieve.into_steps(), seen_to))
    }
}

/// Tells the steps that are to be decided on from those that are told, or were left out.
struct Sieve<'a> {
    chain: &'a Chain,
    steps: Vec<StoredStep>,
    left_out: Vec<StoredStep>,
    seen_to: i64,
}

impl<'a> Sieve<'a> {
    fn new(chain: &'a Chain) -> Self {
        Self { chain, steps: Vec::new(), left_out: Vec::new(), seen_to: chain.seen_to }
    }

    /// Takes a step; those stored first come first.
    fn take(&mut self, step: StoredStep) -> ControlFlow<()> {
        self.seen_to = self.seen_to.max(step.stored_at);
        let name = Name::of_step(&step.alert_id, &step.step);
        if self.chain.left_out.holds(name) {
            if self.left_out.len() < MOST_STEPS {
                self.left_out.push(step);
            }
        } else if !self.chain.told.holds(name) {
            self.steps.push(step);
        }
        if self.steps.len() < MOST_STEPS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// The steps: of those that were left out, the ones beside which another step of their alert has come.
    fn into_steps(mut self) -> Vec<StoredStep> {
        let alerts: HashSet<&str> = self.steps.iter().map(|step| step.alert_id.as_str()).collect();
        self.left_out.retain(|step| alerts.contains(step.alert_id.as_str()));
        self.steps.append(&mut self.left_out);
        self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(alert_id: &str, step: &str, stored_at: i64) -> StoredStep {
        StoredStep {
            alert_id: alert_id.to_owned(),
            step: step.to_owned(),
            device_id: "d".to_owned(),
            kind: "spike".to_owned(),
            severity: "warning".to_owned(),
            opened_at: 0,
            at: 0,
            temperature: 1.0,
            expected: None,
            peak_score: 2.0,
            stored_at,
        }
    }

    #[test]
    fn however_much_was_left_out_what_comes_behind_it_is_seen() {
        let mut chain = Chain::default();
        let replayed: Vec<StoredStep> =
            (0..=MOST_STEPS).map(|n| step(&format!("b.{n}.0.spike"), "opened", 100)).collect();
        let fresh = [step("b.7.0.spike", "closed", 200), step("c.1.0.spike", "opened", 201)];

        let mut sieve = Sieve::new(&chain);
        let taken = replayed.iter().take_while(|step| sieve.take((*step).clone()).is_continue()).count();
        assert_eq!((taken, sieve.seen_to), (MOST_STEPS - 1, 100), "as many as a look takes");
        let names = |steps: &[StoredStep]| -> Vec<Name> {
            steps.iter().map(|step| Name::of_step(&step.alert_id, &step.step)).collect()
        };
        chain.leave_out(&names(&sieve.into_steps()));
        chain.leave_out(&names(&replayed));

        let mut sieve = Sieve::new(&chain);
        assert!(replayed.iter().chain(&fresh).all(|step| sieve.take(step.clone()).is_continue()));
        assert_eq!(sieve.seen_to, 201);
        let mut ids: Vec<(String, String)> =
            sieve.into_steps().into_iter().map(|step| (step.alert_id, step.step)).collect();
        ids.sort();
        let expected = [("b.7.0.spike", "closed"), ("b.7.0.spike", "opened"), ("c.1.0.spike", "opened")];
        assert_eq!(ids, expected.map(|(id, step)| (id.to_owned(), step.to_owned())));
    }

    #[test]
    fn what_was_told_is_not_decided_on_again() {
        let mut chain = Chain::default();
        chain.told.add(Name::of_step("b.7.0.spike", "opened"));
        let mut sieve = Sieve::new(&chain);
        assert!(sieve.take(step("b.7.0.spike", "opened", 5)).is_continue());
        assert!(sieve.into_steps().is_empty());
    }
}
