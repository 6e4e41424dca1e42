//! The ways by which a notification leaves: each with recipients of its own, and its own chain.

use std::time::{Duration, Instant};

use detector::Severity;
use futures::{StreamExt, stream};
use lettre::Address;
use wire::notifications::{AlertNews, DeliveryOutcome, NotificationDocument};

use super::webhook::{WEBHOOK, Webhook};
use super::wording::Look;
use super::{claim, letter};
use crate::mail::{Mail, Outcome};

/// Recipients served at the same time.
const AT_ONCE: usize = 4;

/// Attempts, over about a day, before everybody counts as refused: a quota of letters is over by then.
const ATTEMPTS_FOR_ALL: u32 = 50;
/// Codes (RFC 3463) by which a server says that an address is the fault.
const OF_RECIPIENTS: [&str; 6] = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];

/// A way by which notifications leave.
#[derive(Debug)]
pub enum Channel {
    /// Letters.
    Mail {
        /// What sends them.
        mail: Mail,
        /// Who hears of everything.
        to: Vec<Address>,
        /// Who hears of critical alerts alone.
        to_critical: Vec<Address>,
    },
    /// Posts to another program.
    Webhook(Webhook),
}

/// When something is sent, and how long that may take.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Now, in epoch milliseconds.
    pub now: i64,
    /// How long it may take.
    pub budget: Duration,
}

impl Channel {
    /// The name of its chain of news of alerts.
    #[must_use]
    pub fn alerts_chain(&self) -> &'static str {
        match self {
            Self::Mail { .. } => "mail-alerts",
            Self::Webhook(_) => "webhook-alerts",
        }
    }

    /// The name of its chain of silences.
    #[must_use]
    pub fn silence_chain(&self) -> &'static str {
        match self {
            Self::Mail { .. } => "mail-silence",
            Self::Webhook(_) => "webhook-silence",
        }
    }

    /// Whether a notification of this chain leaves this way.
    #[must_use]
    pub fn carries(&self, chain: &str) -> bool {
        chain.starts_with(match self {
            Self::Mail { .. } => "mail-",
            Self::Webhook(_) => "webhook-",
        })
    }

    /// Whether nobody wants to hear of warnings.
    #[must_use]
    pub fn critical_only(&self) -> bool {
        match self {
            Self::Mail { to, .. } => to.is_empty(),
            Self::Webhook(_) => false,
        }
    }

    /// Who is to hear of news.
    #[must_use]
    pub fn recipients(&self, news: &AlertNews) -> Vec<String> {
        let is_critical = news.groups.iter().any(|group| group.severity == Severity::Critical.name());
        match self {
            Self::Mail { to, to_critical, .. } => {
                let critical = to_critical.iter().filter(|address| is_critical && !to.contains(address));
                to.iter().chain(critical).map(ToString::to_string).collect()
            }
            Self::Webhook(_) => vec![WEBHOOK.to_owned()],
        }
    }

    /// The chain of its digests and who gets them; `None` when nobody does.
    #[must_use]
    pub fn digest(&self) -> Option<(&'static str, Vec<String>)> {
        match self {
            Self::Mail { to, .. } if !to.is_empty() => {
                Some(("mail-digest", to.iter().map(ToString::to_string).collect()))
            }
            Self::Mail { .. } | Self::Webhook(_) => None,
        }
    }

    /// Serves the recipients that a notification still has, and says what became of each.
    ///
    /// It takes no longer than the moment allows: whoever is not served by then is served by the next attempt.
    pub async fn send(
        &self,
        document: &NotificationDocument,
        look: &Look,
        moment: Moment,
    ) -> Vec<(String, Outcome)> {
        let pending = claim::pending(document);
        let Moment { now, budget } = moment;
        let until = Instant::now() + budget;
        match self {
            Self::Webhook(webhook) => {
                let outcome = in_time(until, webhook.post(document, look, now)).await;
                pending.into_iter().map(|to| (to, outcome.clone())).collect()
            }
            Self::Mail { mail, .. } => {
                let reached = tokio::time::timeout(budget / 2, mail.reach()).await;
                if let Err(reason) =
                    reached.unwrap_or_else(|_| Err("the mail server takes too long to greet".to_owned()))
                {
                    return pending.into_iter().map(|to| (to, Outcome::Failed(reason.clone()))).collect();
                }
                let letter = letter::of(document, look, mail.domain());
                let outcomes = stream::iter(pending)
                    .map(|to| {
                        let letter = &letter;
                        async move {
                            let outcome = match to.parse::<Address>() {
                                Ok(address) => in_time(until, mail.send(&address, letter)).await,
                                Err(error) => Outcome::Refused(format!("no address: {error}")),
                            };
                            (to, outcome)
                        }
                    })
                    .buffer_unordered(AT_ONCE)
                    .collect()
                    .await;
                unless_all_are_refused(document, outcomes)
            }
        }
    }
}

/// Where nobody is served at all, a server most likely refuses us or today's letters, and no addresses: that is tried
/// again.
fn unless_all_are_refused(
    document: &NotificationDocument,
    outcomes: Vec<(String, Outcome)>,
) -> Vec<(String, Outcome)> {
    let was_served = document.deliveries.iter().any(|delivery| delivery.outcome == DeliveryOutcome::Sent);
    let is_served = outcomes.iter().any(|(_, outcome)| *outcome == Outcome::Sent);
    if was_served || is_served || document.attempts >= ATTEMPTS_FOR_ALL {
        return outcomes;
    }
    let again = |(to, outcome)| match outcome {
        Outcome::Refused(reason) if !OF_RECIPIENTS.iter().any(|code| reason.contains(code)) => {
            (to, Outcome::Failed(reason))
        }
        other => (to, other),
    };
    outcomes.into_iter().map(again).collect()
}

async fn in_time(until: Instant, sending: impl Future<Output = Outcome>) -> Outcome {
    let late = || Outcome::Failed("there was no time left in this attempt".to_owned());
    tokio::time::timeout_at(until.into(), sending).await.unwrap_or_else(|_| late())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::claim::{Claimant, Draft};
    use crate::settings::{MailSettings, MailWay, SmtpSecurity, SmtpSettings};
    use wire::notifications::Content;

    fn outcomes(reasons: [Option<&str>; 2]) -> Vec<(String, Outcome)> {
        let outcome = |reason: Option<&str>| match reason {
            Some(reason) => Outcome::Refused(reason.to_owned()),
            None => Outcome::Sent,
        };
        ["a@b", "c@d"].into_iter().map(str::to_owned).zip(reasons.map(outcome)).collect()
    }

    fn claimed() -> NotificationDocument {
        let draft = Draft {
            chain: "mail-alerts",
            number: 1,
            recipients: vec!["a@b".to_owned(), "c@d".to_owned()],
            seen_to: 0,
            names: &[],
            silent: Vec::new(),
            content: Content::Alerts(AlertNews { groups: Vec::new() }),
        };
        draft.claimed_by(Claimant { name: "a", now: 0 })
    }

    /// Whether each recipient is tried again after so many attempts.
    fn again(attempts: u32, reasons: [Option<&str>; 2]) -> [bool; 2] {
        let document = NotificationDocument { attempts, ..claimed() };
        let outcomes = unless_all_are_refused(&document, outcomes(reasons));
        [0, 1].map(|n| matches!(outcomes[n].1, Outcome::Failed(_)))
    }

    #[tokio::test]
    async fn a_mail_server_that_never_answers_costs_no_more_than_the_call_has() {
        // It takes connections and says nothing.
        let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = silent.local_addr().unwrap().port();
        let settings = MailSettings {
            from: "alerts@example.com".parse().unwrap(),
            to: vec!["anna@example.com".parse().unwrap()],
            to_critical: Vec::new(),
            way: MailWay::Smtp(SmtpSettings {
                host: "127.0.0.1".to_owned(),
                port,
                security: SmtpSecurity::Plain,
                credentials: None,
                ca_file: None,
            }),
        };
        let mail = Mail::new(&settings).unwrap();
        let channel = Channel::Mail { mail, to: settings.to.clone(), to_critical: Vec::new() };
        let look = Look { zone: jiff::tz::TimeZone::UTC, page: None };
        let moment = Moment { now: 0, budget: Duration::from_millis(200) };
        let outcomes = channel.send(&claimed(), &look, moment).await;
        let reason = "the mail server takes too long to greet".to_owned();
        assert_eq!(outcomes[0], ("a@b".to_owned(), Outcome::Failed(reason)));
        assert_eq!(outcomes.len(), 2);
    }

    #[test]
    fn who_is_refused_like_everybody_else_is_tried_again_for_a_day() {
        let quota = Some("554 5.7.1 daily sending quota exceeded");
        assert_eq!(again(1, [quota, quota]), [true, true]);
        assert_eq!(again(ATTEMPTS_FOR_ALL, [quota, quota]), [false, false]);
        assert_eq!(again(1, [quota, None]), [false, false]);
        assert_eq!(again(1, [Some("550 5.1.1 no such user"), quota]), [false, true]);
    }
}
