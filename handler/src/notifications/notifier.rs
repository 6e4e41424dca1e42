//! Carries notifications out: claims, sends, marks.
//!
//! The notifications of a way follow each other by number. Whoever has something to say creates the document of the next
//! number; of several processes one succeeds, and the others find at their next look that everything is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use wire::notifications::{
    Content, Delivery, DeliveryOutcome, NotificationDocument, NotificationState, Silent,
};

use super::chain::{Chain, Found, Sources};
use super::claim::{self, Claimant, Draft};
use super::digest::{self, Period};
use super::send::Moment;
use super::silence::{Clocks, Watch};
use super::told::Name;
use super::{Channel, Look, grouping};
use crate::fleet::FleetReader;
use crate::mail::Outcome;
use crate::people::Mutes;
use crate::store::{Store, StoreError};

/// Time between attempts to mark a notification.
const MARK_PAUSE: Duration = Duration::from_secs(1);

/// Tells people what happens to alerts.
#[derive(Debug)]
pub struct Notifier {
    store: Arc<Store>,
    channels: Vec<Channel>,
    look: Look,
    /// This process among all that may send.
    name: String,
    /// How long a call may take.
    patience: Duration,
    /// What is known; held while one looks, so that a process never races with itself.
    known: Mutex<Known>,
    /// Held while a digest is made, which reads much: calls that come meanwhile find it claimed.
    digest: Mutex<()>,
}

/// What a process knows of what was told and what is to be told.
#[derive(Debug)]
struct Known {
    /// Of each chain of news.
    chains: HashMap<&'static str, Chain>,
    /// Who is heard; `None` when nobody wants to hear of silences.
    watch: Option<Watch>,
    /// Who is silent as far as the recipients of each chain of silences are told.
    silent: HashMap<&'static str, Vec<Silent>>,
}

/// How a process tells people.
#[derive(Debug, Clone)]
pub struct Manner {
    /// How news look.
    pub look: Look,
    /// This process among all that may send.
    pub name: String,
    /// How long a call may take.
    pub patience: Duration,
    /// The least silence of a hub that is told; `None` for none.
    pub silent_after: Option<Duration>,
}

/// A call that tells people, and the time that it has.
#[derive(Debug, Clone, Copy)]
struct Call {
    /// Now, in epoch milliseconds.
    now: i64,
    until: Instant,
    patience: Duration,
}

/// What was done in a look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Recipients served.
    pub n_sent: usize,
    /// Recipients not served yet.
    pub n_waiting: usize,
}

impl Notifier {
    /// Prepares to tell; nothing is contacted yet.
    #[must_use]
    pub fn new(store: Arc<Store>, channels: Vec<Channel>, manner: Manner) -> Self {
        let Manner { look, name, patience, silent_after } = manner;
        let known =
            Known { chains: HashMap::new(), watch: silent_after.map(Watch::new), silent: HashMap::new() };
        Self { store, channels, look, name, patience, known: Mutex::new(known), digest: Mutex::default() }
    }

    /// Takes up what others left behind, and tells what is new.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read or written: nothing is lost, the next look goes on.
    pub async fn tell(&self, fleet: &FleetReader, clocks: Clocks) -> Result<Done, Arc<StoreError>> {
        let (mut done, now, call) = (Done::default(), clocks.now, self.call(clocks.now));
        if self.channels.is_empty() {
            return Ok(done);
        }
        let mut known = self.known.lock().await;
        let held_up = self.take_up(call, &mut done).await?;
        let is_free = |chain: &str| !held_up.iter().any(|held_up| held_up == chain);
        for channel in self.channels.iter().filter(|channel| is_free(channel.alerts_chain())) {
            let chain = known.chains.entry(channel.alerts_chain()).or_default();
            if let Some(document) = self.claim_news(channel, chain, fleet, call).await? {
                self.send_and_mark(channel, &document, call, &mut done).await?;
            }
        }
        let Known { watch: Some(watch), silent, .. } = &mut *known else { return Ok(done) };
        if watch.needs_look(clocks) {
            watch.observe(&fleet.read().await?.heard, clocks);
        }
        for channel in self.channels.iter().filter(|channel| is_free(channel.silence_chain())) {
            if call.is_short() {
                break;
            }
            if let Some(document) = self.claim_silence(channel, watch, silent, now).await? {
                self.send_and_mark(channel, &document, call, &mut done).await?;
            }
        }
        Ok(done)
    }

    /// Sends what others left behind, and what waited; the chains whose later news must wait for it.
    async fn take_up(&self, call: Call, done: &mut Done) -> Result<Vec<String>, Arc<StoreError>> {
        let mut held_up = Vec::new();
        for stored in self.store.unfinished_notifications().await? {
            let Some(channel) = self.channels.iter().find(|channel| channel.carries(&stored.document.chain))
            else {
                continue;
            };
            let mut document = stored.document;
            if claim::is_due(&document, call.now) && !call.is_short() {
                let taken = claim::take_up(&document, self.claimant(call.now));
                if self.store.replace_notification(&taken, &stored.etag).await? {
                    document = self.send_and_mark(channel, &taken, call, done).await?;
                }
            }
            if claim::holds_up(&document) {
                held_up.push(document.chain);
            }
        }
        Ok(held_up)
    }

    /// Sends the digest of a period, unless somebody has, or nobody wants it.
    ///
    /// # Errors
    ///
    /// As [`Notifier::tell`].
    pub async fn tell_digest(
        &self,
        fleet: &FleetReader,
        period: Period,
        now: i64,
    ) -> Result<(), Arc<StoreError>> {
        let _alone = self.digest.lock().await;
        let call = self.call(now);
        for channel in &self.channels {
            let Some((chain, recipients)) = channel.digest() else { continue };
            let id = NotificationDocument::id_of(chain, period.day);
            if self.store.notification(&id).await?.is_some() {
                continue;
            }
            let digest = digest::gather(&self.store, fleet, period).await?;
            let draft = Draft {
                chain,
                number: period.day,
                recipients,
                seen_to: 0,
                names: &[],
                silent: Vec::new(),
                content: Content::Digest(Box::new(digest)),
            };
            if let Some(document) = self.claim(draft.claimed_by(self.claimant(now))).await? {
                self.send_and_mark(channel, &document, call, &mut Done::default()).await?;
            }
        }
        Ok(())
    }

    fn call(&self, now: i64) -> Call {
        Call { now, until: Instant::now() + self.patience, patience: self.patience }
    }

    fn claimant(&self, now: i64) -> Claimant<'_> {
        Claimant { name: &self.name, now }
    }

    /// Claims what is new, if there is anything and nobody else has claimed it.
    async fn claim_news(
        &self,
        channel: &Channel,
        chain: &mut Chain,
        fleet: &FleetReader,
        mut call: Call,
    ) -> Result<Option<NotificationDocument>, Arc<StoreError>> {
        let sources = Sources { store: &self.store, fleet, channel };
        let (entries, seen_to) = loop {
            if call.is_short() {
                return Ok(None);
            }
            match chain.news(sources, call.now).await? {
                Found::Quiet => return Ok(None),
                Found::Soon(pause_ms) => call.wait(pause_ms).await,
                Found::News(entries, seen_to) => break (entries, seen_to),
            }
        };
        let now = call.now;
        let names: Vec<Name> = entries.iter().flat_map(|entry| entry.all_names(now)).collect();
        let news = grouping::group(entries);
        let draft = Draft {
            chain: channel.alerts_chain(),
            number: chain.next_number(),
            recipients: channel.recipients(&news),
            seen_to,
            names: &names,
            silent: Vec::new(),
            content: Content::Alerts(news),
        };
        let document = draft.claimed_by(self.claimant(now));
        Ok(self.claim(document).await?)
    }

    /// Claims what is new of who is silent, if there is anything, nobody else has claimed it, and nobody muted all.
    ///
    /// A chain's newest document says who is silent as far as people are told. It is read when a process begins, and
    /// when there is something to tell that others may have told meanwhile.
    async fn claim_silence(
        &self,
        channel: &Channel,
        watch: &Watch,
        known: &mut HashMap<&'static str, Vec<Silent>>,
        now: i64,
    ) -> Result<Option<NotificationDocument>, Arc<StoreError>> {
        let chain = channel.silence_chain();
        if known.get(chain).is_some_and(|silent| watch.news(silent).is_none()) {
            return Ok(None);
        }
        let newest = self.store.newest_told(chain).await?;
        let (number, told) = newest.map_or_else(Default::default, |newest| (newest.number, newest.silent));
        let news = watch.news(&told);
        known.insert(chain, told);
        let Some((news, silent)) = news else { return Ok(None) };
        if Mutes::read(&self.store, now).await?.cover_all(now) {
            return Ok(None);
        }
        let draft = Draft {
            chain,
            number: number + 1,
            recipients: channel.recipients(&news),
            seen_to: 0,
            names: &[],
            silent: silent.clone(),
            content: Content::Alerts(news),
        };
        let claimed = self.claim(draft.claimed_by(self.claimant(now))).await?;
        if claimed.is_some() {
            known.insert(chain, silent);
        }
        Ok(claimed)
    }

    /// Claims a document; `None` when somebody else has.
    async fn claim(
        &self,
        document: NotificationDocument,
    ) -> Result<Option<NotificationDocument>, StoreError> {
        if self.store.create_notification(&document).await? {
            return Ok(Some(document));
        }
        // The client tries again by itself what got no answer: the one that is in the way may be ours.
        let stored = self.store.notification(&document.id).await?;
        let is_ours = stored.is_some_and(|stored| claim::is_held(&stored.document, &document));
        if !is_ours {
            tracing::info!(notification = document.id, "another process sends this notification");
        }
        Ok(is_ours.then_some(document))
    }

    /// Sends a claimed notification and marks what became of it.
    async fn send_and_mark(
        &self,
        channel: &Channel,
        document: &NotificationDocument,
        call: Call,
        done: &mut Done,
    ) -> Result<NotificationDocument, Arc<StoreError>> {
        // By this it is seen whether somebody took the claim for one that was left behind.
        let stored = self.store.notification(&document.id).await?;
        let Some(stored) = stored.filter(|stored| claim::is_held(&stored.document, document)) else {
            tracing::warn!(notification = document.id, "another process has taken this notification over");
            return Ok(document.clone());
        };
        let moment = Moment { now: call.now, budget: call.budget() };
        let outcomes = channel.send(document, &self.look, moment).await;
        let marked = claim::mark(document, &outcomes, call.now);
        report(&marked, &outcomes);
        let of = |outcome| marked.deliveries.iter().filter(|delivery| delivery.outcome == outcome).count();
        done.n_sent += of(DeliveryOutcome::Sent);
        done.n_waiting += of(DeliveryOutcome::Pending);
        if !self.mark(&marked, &stored.etag, call).await? {
            tracing::warn!(
                notification = marked.id,
                "another process has taken this notification over; it may come twice"
            );
        }
        Ok(marked)
    }

    /// Marks what became of a notification, again and again while storage is away for a moment: what is not marked is
    /// sent once more.
    async fn mark(
        &self,
        marked: &NotificationDocument,
        etag: &str,
        call: Call,
    ) -> Result<bool, Arc<StoreError>> {
        let mut is_repeat = false;
        loop {
            match self.store.replace_notification(marked, etag).await {
                Ok(true) => return Ok(true),
                // The attempt that failed may have been carried out.
                Ok(false) if is_repeat => {
                    let stored = self.store.notification(&marked.id).await?;
                    return Ok(stored.is_some_and(|stored| stored.document == *marked));
                }
                Ok(false) => return Ok(false),
                Err(error) if Instant::now() + MARK_PAUSE > call.until => return Err(error.into()),
                Err(_) => tokio::time::sleep(MARK_PAUSE).await,
            }
            is_repeat = true;
        }
    }
}

impl Call {
    /// How long sending may take: the rest is for marking what was sent.
    fn budget(self) -> Duration {
        self.until.saturating_duration_since(Instant::now()).saturating_sub(self.patience / 4)
    }

    /// Whether too little is left to begin with anything: less than a slow server takes for a letter, when a call has as
    /// much time as is shipped.
    fn is_short(self) -> bool {
        self.budget() < self.patience / 3
    }

    /// Waits for more to come, but never so long that too little is left.
    async fn wait(&mut self, pause_ms: i64) {
        let pause = Duration::from_millis(u64::try_from(pause_ms).unwrap_or_default());
        let began = Instant::now();
        tokio::time::sleep(pause.min(self.budget())).await;
        self.now += i64::try_from(began.elapsed().as_millis()).unwrap_or_default();
    }
}

/// Says in the log what became of a notification: once, and of whom.
fn report(document: &NotificationDocument, outcomes: &[(String, Outcome)]) {
    let notification = &document.id;
    let is_new = |delivery: &&Delivery| outcomes.iter().any(|(to, _)| *to == delivery.to);
    for delivery in document.deliveries.iter().filter(is_new) {
        // The address stands in the document and not here.
        let reason = delivery.reason.as_deref().unwrap_or_default();
        match delivery.outcome {
            DeliveryOutcome::Sent => {}
            DeliveryOutcome::Pending => {
                tracing::warn!(
                    notification,
                    reason,
                    attempts = document.attempts,
                    "notification not taken; it is tried again"
                );
            }
            DeliveryOutcome::Refused => tracing::error!(notification, reason, "recipient refused for good"),
            DeliveryOutcome::GivenUp => tracing::error!(notification, reason, "notification given up"),
        }
    }
    if document.state == NotificationState::Done {
        tracing::info!(notification, n_recipients = document.deliveries.len(), "notification sent");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_keeps_time_for_the_mark_and_begins_nothing_for_which_too_little_is_left() {
        let patience = Duration::from_secs(120);
        for (left_s, most_budget_s, is_short) in
            [(120, 90, false), (80, 50, false), (60, 30, true), (0, 0, true)]
        {
            let until = Instant::now() + Duration::from_secs(left_s);
            let call = Call { now: 0, until, patience };
            assert!(call.budget() <= Duration::from_secs(most_budget_s), "{left_s} s left");
            assert_eq!(call.is_short(), is_short, "{left_s} s left");
        }
    }
}
