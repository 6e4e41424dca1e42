//! A notification as a letter; news of alerts as text and HTML.
//!
//! HTML for mail is of its own kind: tables and inline styles, because many clients know nothing else.

use std::fmt::Write;

use maud::{DOCTYPE, Markup, html};
use wire::notifications::{AlertNews, Content, NewsEvent, NewsGroup, NotificationDocument};

use super::digest;
use super::grouping::count;
use super::wording::{self, Look};
use crate::mail::{Letter, message_id};

/// What a cell looks like.
const CELL: &str = "padding:6px 8px;border-bottom:1px solid #e3e6ea;font-size:14px;vertical-align:top";
/// What a column's head looks like.
const HEAD: &str =
    "padding:6px 8px;border-bottom:1px solid #c4c9d0;font-size:12px;color:#5b6470;text-align:left";

/// The letter of a notification.
#[must_use]
pub fn of(document: &NotificationDocument, look: &Look, domain: &str) -> Letter {
    let (subject, text, body, pictures) = match &document.content {
        Content::Alerts(news) => (wording::subject(news), text(news, look), body(news, look), Vec::new()),
        Content::Digest(digest) => (
            digest::subject(digest),
            digest::text(digest, look),
            digest::body(digest, look),
            digest::pictures(digest),
        ),
    };
    Letter {
        message_id: message_id(&document.id, document.created_at, domain),
        at: document.created_at,
        html: page(&subject, &body).into_string(),
        subject,
        text,
        pictures,
    }
}

fn text(news: &AlertNews, look: &Look) -> String {
    let mut text = String::new();
    for group in &news.groups {
        let _ = writeln!(text, "{}\n{}", wording::headline(group), wording::times(group, look));
        for alert in &group.worst {
            let measured = wording::measured(alert);
            let divider = if measured.is_empty() { "" } else { ", " };
            let at = wording::time(alert.opened_at, look);
            let _ = writeln!(text, "  {}: {measured}{divider}opened {at}", wording::id(&alert.device_id));
            if let Some(link) = wording::link(&alert.alert_id, look) {
                let _ = writeln!(text, "    {link}");
            }
        }
        if let Some(rest) = rest(group) {
            let _ = writeln!(text, "  {rest}");
        }
        text.push('\n');
    }
    if let Some(page) = &look.page {
        let _ = writeln!(text, "All alerts: {page}/#/alerts");
    }
    text
}

fn body(news: &AlertNews, look: &Look) -> Markup {
    html! {
        @for group in &news.groups { (section(group, look)) }
        @if let Some(page) = &look.page {
            p style="margin:20px 0 0;font-size:14px" { a href={ (page) "/#/alerts" } { "All alerts" } }
        }
    }
}

fn section(group: &NewsGroup, look: &Look) -> Markup {
    html! {
        h2 style={ "margin:20px 0 4px;padding-left:10px;font-size:17px;overflow-wrap:anywhere;word-break:break-word;border-left:4px solid " (color(group)) } {
            (wording::headline(group))
        }
        p style="margin:0 0 8px;padding-left:14px;font-size:13px;color:#5b6470" { (wording::times(group, look)) }
        @if !group.worst.is_empty() { (listed(group, look)) }
        @if let Some(rest) = rest(group) {
            p style="margin:6px 0 0;padding-left:8px;font-size:13px;color:#5b6470" { (rest) }
        }
    }
}

/// The worst alerts of a group.
fn listed(group: &NewsGroup, look: &Look) -> Markup {
    let has_values = group.worst.iter().any(|alert| alert.temperature.is_some());
    html! {
        table role="presentation" width="100%" cellspacing="0" cellpadding="0" style="border-collapse:collapse" {
            tr {
                th style=(HEAD) { "Device" }
                @if has_values { th style=(HEAD) { "Measured" } }
                th style=(HEAD) { "Opened" }
            }
            @for alert in &group.worst {
                tr {
                    td style={ (CELL) ";word-break:break-word" } {
                        @match wording::link(&alert.alert_id, look) {
                            Some(link) => { a href=(link) { (wording::id(&alert.device_id)) } }
                            None => { (wording::id(&alert.device_id)) }
                        }
                    }
                    @if has_values { td style=(CELL) { (wording::measured(alert)) } }
                    td style=(CELL) { (wording::time(alert.opened_at, look)) }
                }
            }
        }
    }
}

fn rest(group: &NewsGroup) -> Option<String> {
    let rest = group.n_alerts.checked_sub(count(group.worst.len())).filter(|rest| *rest > 0)?;
    Some(format!("and {} more", wording::grouped(rest)))
}

fn color(group: &NewsGroup) -> &'static str {
    match group.event {
        NewsEvent::Closed | NewsEvent::Passed | NewsEvent::Back => "#2e8b57",
        _ if group.severity == "critical" => "#c62828",
        _ => "#e69100",
    }
}

/// A whole page around a body.
#[must_use]
pub(super) fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (title) }
            }
            body style="margin:0;padding:0;background:#f3f5f7;color:#1c2530;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif" {
                table role="presentation" width="100%" cellspacing="0" cellpadding="0" {
                    tr { td align="center" style="padding:16px 8px" {
                        table role="presentation" width="100%" cellspacing="0" cellpadding="0" style="max-width:640px;background:#ffffff;border:1px solid #e3e6ea" {
                            tr { td style="padding:8px 20px 24px" { (body) } }
                        }
                    } }
                }
            }
        }
    }
}
