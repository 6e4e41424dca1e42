//! A letter's parts, as a person sees them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{Address, Message, MessageParser, MimeHeaders};

/// What is shown of a letter.
#[derive(Debug, Default)]
pub(super) struct Letter {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) date: String,
    pub(super) message_id: String,
    pub(super) subject: String,
    pub(super) text: String,
    /// With its pictures in it.
    pub(super) html: String,
}

impl Letter {
    /// Reads a message; what is none is an empty letter.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let Some(message) = MessageParser::default().parse(bytes) else { return Self::default() };
        Self {
            from: addresses(message.from()),
            to: addresses(message.to()),
            date: message.date().map(mail_parser::DateTime::to_rfc3339).unwrap_or_default(),
            message_id: message.message_id().unwrap_or_default().to_owned(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().into_owned(),
            html: with_pictures(&message, message.body_html(0).unwrap_or_default().into_owned()),
        }
    }
}

fn addresses(addresses: Option<&Address<'_>>) -> String {
    let all = addresses.iter().flat_map(|addresses| addresses.iter());
    let address = |address: &mail_parser::Addr<'_>| address.address().unwrap_or_default().to_owned();
    all.map(address).collect::<Vec<_>>().join(", ")
}

fn with_pictures(message: &Message<'_>, mut html: String) -> String {
    for part in &message.parts {
        let Some(id) = part.content_id() else { continue };
        let data = format!("data:image/png;base64,{}", STANDARD.encode(part.contents()));
        html = html.replace(&format!("cid:{id}"), &data);
    }
    html
}
