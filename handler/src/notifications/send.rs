//! The ways by which a notification leaves: each with recipients of its own, and its own chain.

use std::time::{Duration, Instant};

use detector::Severity;
use futures::{StreamExt, stream};
use lettre::Address;
use wire::notifications::{AlertNews, NotificationDocument};

use super::webhook::{WEBHOOK, Webhook};
use super::wording::Look;
use super::{claim, letter};
use crate::mail::{Mail, Outcome};

/// Recipients served at the same time.
const AT_ONCE: usize = 4;

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
                stream::iter(pending)
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
                    .await
            }
        }
    }
}

async fn in_time(until: Instant, sending: impl Future<Output = Outcome>) -> Outcome {
    let late = || Outcome::Failed("there was no time left in this attempt".to_owned());
    tokio::time::timeout_at(until.into(), sending).await.unwrap_or_else(|_| late())
}
