//! The life of a notification's document: claimed, sent, marked, and taken up again where that failed.
//!
//! Pure: documents and the time enter, documents leave. Whoever carries it out writes a document only where none is, or
//! where it is still as it was read; so of any number of processes one goes on, whatever their clocks say.

use wire::notifications::{
    Content, Delivery, DeliveryOutcome, NOTIFICATION, NOTIFICATION_TTL_S, NOTIFICATION_VERSION,
    NOTIFICATIONS_BUCKET, NotificationDocument, NotificationState, Silent,
};

use super::told::{Name, written};
use crate::mail::Outcome;

/// After how long a claim counts as left behind by a process that ended: longer than any call of a function takes.
pub const STALE_MS: i64 = 5 * 60_000;
/// Time before the second attempt; it doubles with each.
const FIRST_PAUSE_MS: i64 = 60_000;
/// Longest time between attempts.
const LONGEST_PAUSE_MS: i64 = 30 * 60_000;
/// After how long a notification is news no more.
const GIVE_UP_MS: i64 = 7 * 24 * 3_600_000;

/// A process at a time.
#[derive(Debug, Clone, Copy)]
pub struct Claimant<'a> {
    /// Its name.
    pub name: &'a str,
    /// Now, in epoch milliseconds.
    pub now: i64,
}

/// What is claimed.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// Its chain.
    pub chain: &'a str,
    /// Its place there.
    pub number: i64,
    /// Its recipients.
    pub recipients: Vec<String>,
    /// How far steps were looked at.
    pub seen_to: i64,
    /// What it tells.
    pub names: &'a [Name],
    /// Who is silent as far as its recipients are told, when it tells of silences.
    pub silent: Vec<Silent>,
    /// What it says.
    pub content: Content,
}

impl Draft<'_> {
    /// The document by which a process claims it.
    #[must_use]
    pub fn claimed_by(self, claimant: Claimant<'_>) -> NotificationDocument {
        let pending = |to| Delivery { to, outcome: DeliveryOutcome::Pending, reason: None };
        NotificationDocument {
            id: NotificationDocument::id_of(self.chain, self.number),
            document_type: NOTIFICATION.to_owned(),
            bucket: NOTIFICATIONS_BUCKET.to_owned(),
            version: NOTIFICATION_VERSION,
            ttl: NOTIFICATION_TTL_S,
            chain: self.chain.to_owned(),
            number: self.number,
            created_at: claimant.now,
            state: NotificationState::Claimed,
            claimed_at: claimant.now,
            claimed_by: claimant.name.to_owned(),
            attempts: 1,
            next_attempt_at: claimant.now,
            deliveries: self.recipients.into_iter().map(pending).collect(),
            seen_to: self.seen_to,
            told: written(self.names),
            silent: self.silent,
            content: self.content,
        }
    }
}

/// Whether somebody must take it up: its pause is over, or its process has ended.
///
/// A time that lies too far ahead is one of a clock that was set back.
#[must_use]
pub fn is_due(document: &NotificationDocument, now: i64) -> bool {
    match document.state {
        NotificationState::Done => false,
        NotificationState::Waiting => {
            now >= document.next_attempt_at || document.next_attempt_at - now > LONGEST_PAUSE_MS
        }
        NotificationState::Claimed => (now - document.claimed_at).abs() >= STALE_MS,
    }
}

/// The document by which a process claims it again.
#[must_use]
pub fn take_up(document: &NotificationDocument, claimant: Claimant<'_>) -> NotificationDocument {
    NotificationDocument {
        state: NotificationState::Claimed,
        claimed_at: claimant.now,
        claimed_by: claimant.name.to_owned(),
        attempts: document.attempts.saturating_add(1),
        ..document.clone()
    }
}

/// Whether a stored document is still the one by which a process claimed it.
#[must_use]
pub fn is_held(stored: &NotificationDocument, claimed: &NotificationDocument) -> bool {
    stored.state == NotificationState::Claimed
        && (stored.claimed_by.as_str(), stored.claimed_at, stored.attempts)
            == (claimed.claimed_by.as_str(), claimed.claimed_at, claimed.attempts)
}

/// The recipients that are to be served.
#[must_use]
pub fn pending(document: &NotificationDocument) -> Vec<String> {
    let pending = |delivery: &&Delivery| delivery.outcome == DeliveryOutcome::Pending;
    document.deliveries.iter().filter(pending).map(|delivery| delivery.to.clone()).collect()
}

/// The document after an attempt, with what became of each recipient.
#[must_use]
pub fn mark(
    document: &NotificationDocument,
    outcomes: &[(String, Outcome)],
    now: i64,
) -> NotificationDocument {
    let mut marked = document.clone();
    let is_late = now - document.created_at > GIVE_UP_MS;
    for delivery in &mut marked.deliveries {
        let Some((_, outcome)) = outcomes.iter().find(|(to, _)| *to == delivery.to) else { continue };
        (delivery.outcome, delivery.reason) = match outcome {
            Outcome::Sent => (DeliveryOutcome::Sent, None),
            Outcome::Refused(reason) => (DeliveryOutcome::Refused, Some(reason.clone())),
            Outcome::Failed(reason) if is_late => (DeliveryOutcome::GivenUp, Some(reason.clone())),
            Outcome::Failed(reason) => (DeliveryOutcome::Pending, Some(reason.clone())),
        };
    }
    marked.state =
        if pending(&marked).is_empty() { NotificationState::Done } else { NotificationState::Waiting };
    marked.next_attempt_at = now + pause_ms(marked.attempts);
    marked
}

/// Whether later news wait for it: nobody was reached, so the next attempt would not reach anybody with them either.
/// They become one notification when it is over.
#[must_use]
pub fn holds_up(document: &NotificationDocument) -> bool {
    let reached = |delivery: &Delivery| delivery.outcome == DeliveryOutcome::Sent;
    document.state != NotificationState::Done && !document.deliveries.iter().any(reached)
}

fn pause_ms(attempts: u32) -> i64 {
    let doublings = attempts.saturating_sub(1).min(16);
    (FIRST_PAUSE_MS << doublings).min(LONGEST_PAUSE_MS)
}
