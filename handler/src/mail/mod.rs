//! Sends letters: by a mail server, or into a folder where there is none.
//!
//! Enters: a letter and an address. Leaves: the letter, and what became of it. It refuses to know what a letter is
//! about, and when one is due.
//!
//! Each address gets a message of its own, so that a refusal concerns nobody else.

mod message;
mod outbox;
mod printable;
mod smtp;

use lettre::Address;
use lettre::message::Mailbox;

pub use self::message::{Letter, Picture, message_id};
use self::outbox::Outbox;
pub use self::printable::{misleads, printable};
use self::smtp::Smtp;
use crate::settings::{MailSettings, MailWay};

/// Sends letters of one sender.
#[derive(Debug)]
pub struct Mail {
    from: Mailbox,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Smtp(Smtp),
    Outbox(Outbox),
}

/// What became of a letter to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Sent,
    /// It will never be taken, with the reason.
    Refused(String),
    /// It was not taken now, with the reason.
    Failed(String),
}

impl Mail {
    /// Prepares to send; nothing is contacted yet.
    ///
    /// # Errors
    ///
    /// When the file of trusted certificates cannot be read.
    pub fn new(settings: &MailSettings) -> anyhow::Result<Self> {
        let way = match &settings.way {
            MailWay::Smtp(smtp) => Way::Smtp(Smtp::new(smtp)?),
            MailWay::Outbox(folder) => Way::Outbox(Outbox::new(folder.clone())),
        };
        Ok(Self { from: settings.from.clone(), way })
    }

    /// Says in one line, at start, where letters go.
    pub fn announce(&self, settings: &MailSettings) {
        if settings.everybody().is_empty() {
            tracing::warn!("MAIL_TO is not set: nobody gets mail about alerts");
            return;
        }
        match &self.way {
            Way::Smtp(smtp) => smtp.announce(),
            Way::Outbox(outbox) => {
                let folder = outbox.folder().display().to_string();
                tracing::warn!(folder, "SMTP_URL is not set: mail is not sent, it is written to files");
            }
        }
    }

    /// The domain of the sender, by which message ids are told from those of others.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// Tries whether letters can leave, without one: connects and proves who we are.
    ///
    /// # Errors
    ///
    /// The reason, in one line.
    pub async fn reach(&self) -> Result<(), String> {
        match &self.way {
            Way::Smtp(smtp) => smtp.reach().await,
            Way::Outbox(outbox) => outbox.reach().await,
        }
    }

    /// Sends a letter to an address; a mail server must have been reached a moment ago.
    pub async fn send(&self, to: &Address, letter: &Letter) -> Outcome {
        let message = match letter.message(&self.from, to) {
            Ok(message) => message,
            Err(error) => return Outcome::Refused(format!("the letter cannot be written: {error}")),
        };
        match &self.way {
            Way::Smtp(smtp) => smtp.send(message).await,
            Way::Outbox(outbox) => outbox.keep(letter, to, &message.formatted()).await,
        }
    }
}

#[cfg(test)]
mod tests;
