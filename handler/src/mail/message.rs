//! A letter as a message for the wire: text and HTML side by side, pictures with the HTML, typed headers.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use sha2::{Digest, Sha256};

use super::printable::printable;

/// Characters of a subject: more is not shown anywhere.
const SUBJECT_CHARS: usize = 150;

/// What is to be sent. The same letter makes the same message, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its name among all letters of the sender, with angle brackets: see [`message_id`].
    pub message_id: String,
    /// When it was written, in epoch milliseconds.
    pub at: i64,
    /// What happened, in a line.
    pub subject: String,
    /// The text for those who read no HTML.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// Pictures that the HTML shows.
    pub pictures: Vec<Picture>,
}

/// A picture that the HTML shows as `cid:<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its name in the letter: ASCII letters, digits and hyphens.
    pub name: String,
    /// The picture as PNG.
    pub png: Vec<u8>,
}

/// Names a letter for ever: whoever sends it again sends the same name, by which clients know a repeat.
#[must_use]
pub fn message_id(notification_id: &str, created_at: i64, domain: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-.".contains(*c);
    let id: String = notification_id.chars().filter(is_plain).collect();
    format!("<{id}.{created_at}@{domain}>")
}

impl Letter {
    /// The message for an address.
    ///
    /// # Errors
    ///
    /// What the writer of messages complains of.
    pub(super) fn message(&self, from: &Mailbox, to: &Address) -> Result<Message, lettre::error::Error> {
        let at = Duration::from_millis(u64::try_from(self.at).unwrap_or_default());
        Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to.clone()))
            .date(SystemTime::UNIX_EPOCH + at)
            .message_id(Some(self.message_id.clone()))
            // The writer encodes what is not ASCII, and line breaks; what would mislead a reader is replaced here.
            .subject(printable(&self.subject, SUBJECT_CHARS))
            // No answering machine shall answer.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(self.body())
    }

    fn body(&self) -> MultiPart {
        let html = SinglePart::html(self.html.clone());
        let both = MultiPart::alternative()
            .boundary(self.boundary("a"))
            .singlepart(SinglePart::plain(self.text.clone()));
        if self.pictures.is_empty() {
            return both.singlepart(html);
        }
        let mut related = MultiPart::related().boundary(self.boundary("b")).singlepart(html);
        for picture in &self.pictures {
            let attachment = Attachment::new_inline(picture.name.clone());
            related = related.singlepart(attachment.body(picture.png.clone(), png_type()));
        }
        both.multipart(related)
    }

    /// What divides a message's parts: the same each time the letter is sent.
    fn boundary(&self, part: &str) -> String {
        let hash = Sha256::digest(format!("{part}{}", self.message_id).as_bytes());
        let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("part-{hex}")
    }
}

fn png_type() -> ContentType {
    ContentType::parse("image/png").unwrap_or(ContentType::TEXT_PLAIN)
}
