//! Where notifications are posted beside mail.

use secrecy::SecretString;
use url::Url;

use super::mail::is_loopback;
use super::reader::Reader;

/// Where notifications are posted beside mail.
#[derive(Debug)]
pub struct WebhookSettings {
    /// The address, which is a secret with many receivers; `WEBHOOK_URL`.
    pub url: SecretString,
    /// What posts are signed with; `WEBHOOK_SECRET`, unsigned.
    pub secret: Option<SecretString>,
    /// Who reads them; `WEBHOOK_FORMAT`, `json`.
    pub format: WebhookFormat,
}

/// Who reads what is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookFormat {
    /// A program.
    Json,
    /// Slack, or what understands its messages.
    Slack,
    /// Microsoft Teams.
    Teams,
}

impl WebhookSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let secret = reader.text("WEBHOOK_SECRET").map(SecretString::from);
        let format = match reader.text("WEBHOOK_FORMAT").as_deref() {
            None | Some("json") => WebhookFormat::Json,
            Some("slack") => WebhookFormat::Slack,
            Some("teams") => WebhookFormat::Teams,
            Some(other) => {
                reader.fault(format!("WEBHOOK_FORMAT: expected json, slack or teams, got `{other}`"));
                WebhookFormat::Json
            }
        };
        let Some(text) = reader.text("WEBHOOK_URL") else {
            if secret.is_some() {
                reader.fault("WEBHOOK_SECRET: set, but WEBHOOK_URL is not: without it nothing is posted");
            }
            return None;
        };
        // No complaint quotes it: who has it may post.
        let is_safe = |url: &Url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
        match Url::parse(&text) {
            Ok(url) if is_safe(&url) => Some(Self { url: SecretString::from(text), secret, format }),
            _ => {
                reader.fault("WEBHOOK_URL: expected an address that begins with https://");
                None
            }
        }
    }
}
