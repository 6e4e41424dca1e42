//! Posts notifications to another program: signed, and in the form that it reads.
//!
//! Enters: news and the time. Leaves: a post, and what became of it. Text of devices is never read as markup by those
//! who show it.

use std::time::Duration;

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use wire::notifications::{AlertNews, Content, NewsGroup, NotificationDocument};

use super::wording::{self, Look};
use crate::mail::Outcome;
use crate::settings::{WebhookFormat, WebhookSettings};

/// The one recipient of a webhook.
pub const WEBHOOK: &str = "webhook";
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Alerts that a message to people lists of a group.
const LISTED: usize = 3;
/// Characters that Slack shows of a header.
const HEADER_CHARS: usize = 150;

/// A receiver of posts.
#[derive(Debug)]
pub struct Webhook {
    client: Client,
    url: SecretString,
    secret: Option<SecretString>,
    format: WebhookFormat,
}

impl Webhook {
    /// Prepares to post; nothing is contacted yet.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub fn new(settings: &WebhookSettings) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).build();
        Ok(Self {
            client: client.context("WEBHOOK_URL: no client can be made")?,
            url: settings.url.clone(),
            secret: settings.secret.clone(),
            format: settings.format,
        })
    }

    /// Posts news of alerts.
    pub async fn post(&self, document: &NotificationDocument, look: &Look, now: i64) -> Outcome {
        let Content::Alerts(news) = &document.content else {
            return Outcome::Refused("a digest is for people".to_owned());
        };
        let body = body(self.format, document, news, look).to_string();
        let timestamp = (now / 1000).to_string();
        let mut request = self
            .client
            .post(self.url.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .header("x-notification-id", &document.id)
            .header("x-notification-timestamp", &timestamp);
        if let Some(secret) = &self.secret {
            request = request.header("x-notification-signature", signature(secret, &timestamp, &body));
        }
        match request.body(body).send().await {
            Ok(response) => judge(response.status()),
            // Without the address, which is a secret.
            Err(error) => Outcome::Failed(format!("{:#}", anyhow::Error::new(error.without_url()))),
        }
    }
}

/// What a status means: whether the post can ever be taken.
fn judge(status: StatusCode) -> Outcome {
    match status.as_u16() {
        200..=299 => Outcome::Sent,
        // What is wrong with this post is wrong with it for ever; what is wrong with us can be cured.
        400 | 405 | 410 | 413 | 415 | 422 => Outcome::Refused(format!("the receiver answers {status}")),
        _ => Outcome::Failed(format!("the receiver answers {status}")),
    }
}

/// `v1=` and the HMAC-SHA256 of timestamp, point and body in hexadecimal digits.
fn signature(secret: &SecretString, timestamp: &str, body: &str) -> String {
    let mut digits = String::from("v1=");
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) {
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body.as_bytes());
        digits.extend(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")));
    }
    digits
}

/// What is posted.
#[must_use]
pub fn body(format: WebhookFormat, document: &NotificationDocument, news: &AlertNews, look: &Look) -> Value {
    match format {
        WebhookFormat::Json => json!({
            "id": document.id,
            "createdAt": document.created_at,
            "subject": wording::subject(news),
            "groups": news.groups,
            "page": look.page,
        }),
        WebhookFormat::Slack => slack(news, look),
        WebhookFormat::Teams => teams(news, look),
    }
}

/// The lines below a group's headline.
fn lines(group: &NewsGroup, look: &Look) -> Vec<String> {
    let mut lines = vec![wording::times(group, look)];
    if group.n_alerts > 1 {
        let worst: Vec<String> =
            group.worst.iter().take(LISTED).map(|alert| wording::id(&alert.device_id)).collect();
        lines.push(format!("Worst: {}", worst.join(", ")));
    } else if let Some(alert) = group.worst.first() {
        lines.push(wording::measured(alert));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

fn link(news: &AlertNews, look: &Look) -> Option<String> {
    match news.groups.as_slice() {
        [group] if group.n_alerts == 1 => {
            group.worst.first().and_then(|alert| wording::link(&alert.alert_id, look))
        }
        _ => look.page.as_ref().map(|page| format!("{page}/#/alerts")),
    }
}

/// A message of Slack: plain text alone, in which three characters still mean something.
fn slack(news: &AlertNews, look: &Look) -> Value {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let plain = |text: &str| json!({ "type": "plain_text", "emoji": false, "text": escaped(text) });
    let subject = wording::subject(news);
    // What counts is the length after escaping.
    let fits =
        |most: &usize| escaped(&crate::mail::printable(&subject, *most)).chars().count() <= HEADER_CHARS;
    let most = (1..=HEADER_CHARS).rev().find(fits).unwrap_or(1);
    let subject = crate::mail::printable(&subject, most);
    let mut blocks = vec![json!({ "type": "header", "text": plain(&subject) })];
    for group in &news.groups {
        let mut text = vec![wording::headline(group)];
        text.extend(lines(group, look));
        blocks.push(json!({ "type": "section", "text": plain(&text.join("\n")) }));
    }
    if let Some(link) = link(news, look) {
        let button = json!({ "type": "button", "text": plain("Open"), "url": link });
        blocks.push(json!({ "type": "actions", "elements": [button] }));
    }
    json!({ "text": escaped(&subject), "mrkdwn": false, "blocks": blocks })
}

/// A message of Teams: an adaptive card of text runs, in which nothing is markup.
fn teams(news: &AlertNews, look: &Look) -> Value {
    let block = |text: &str, weight: &str| {
        let run = json!({ "type": "TextRun", "text": text, "weight": weight });
        json!({ "type": "RichTextBlock", "inlines": [run] })
    };
    let mut blocks = Vec::new();
    for group in &news.groups {
        blocks.push(block(&wording::headline(group), "Bolder"));
        blocks.extend(lines(group, look).iter().map(|line| block(line, "Default")));
    }
    let actions: Vec<Value> = link(news, look)
        .map(|link| json!({ "type": "Action.OpenUrl", "title": "Open", "url": link }))
        .into_iter()
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": blocks,
                "actions": actions,
            }
        }]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_documented_recipe() {
        // As `printf '1767323045.{"a":1}' | openssl dgst -sha256 -hmac key` says.
        let signed = signature(&SecretString::from("key"), "1767323045", r#"{"a":1}"#);
        assert_eq!(signed, "v1=7a74ddb6c5eee22d6198e210cf7a4aae6004fa7dc07f66752779c1d480cc319f");
    }

    #[test]
    fn only_what_can_never_be_taken_is_refused() {
        for (status, is_refused, is_sent) in [
            (204, false, true),
            (400, true, false),
            (401, false, false),
            (404, false, false),
            (429, false, false),
            (503, false, false),
            (302, false, false),
        ] {
            let outcome = judge(StatusCode::from_u16(status).unwrap());
            assert_eq!(matches!(outcome, Outcome::Refused(_)), is_refused, "{status}");
            assert_eq!(outcome == Outcome::Sent, is_sent, "{status}");
        }
    }
}
