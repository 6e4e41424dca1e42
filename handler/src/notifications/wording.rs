//! How what happened is said, in one line and in words that text, HTML and other programs' messages share.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use wire::notifications::{AlertNews, NewsAlert, NewsEvent, NewsGroup};

use crate::mail::printable;

/// What is escaped in a link: as browsers' `encodeURIComponent` does, but for a few marks that no alert's id has.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Characters of a device's id that are shown.
const ID_CHARS: usize = 64;

/// How news look to those who get them.
#[derive(Debug, Clone)]
pub struct Look {
    /// The time zone of times.
    pub zone: TimeZone,
    /// The page's address, for links.
    pub page: Option<String>,
}

/// The subject: the gravest group, and how many others there are.
#[must_use]
pub fn subject(news: &AlertNews) -> String {
    let Some(first) = news.groups.first() else { return "No news".to_owned() };
    let others = news.groups.len() - 1;
    match others {
        0 => headline(first),
        1 => format!("{}, and another group", headline(first)),
        _ => format!("{}, and {others} other groups", headline(first)),
    }
}

/// A group in a line.
#[must_use]
pub fn headline(group: &NewsGroup) -> String {
    let (who, what) = (who(group), what(&group.kind));
    let grave = if group.severity == "critical" { ", critical" } else { "" };
    match group.event {
        NewsEvent::Opened => format!("{who}: {what}{grave}"),
        NewsEvent::Escalated => format!("Now critical: {who}: {what}"),
        NewsEvent::Reminder => format!("Still critical, and nobody took note: {who}: {what}"),
        NewsEvent::Passed => format!("Over already: {who}: {what}{grave}"),
        NewsEvent::Closed => format!("Recovered: {who}: {what}"),
        NewsEvent::Silent => format!("No readings of {}", printable(&group.devices, ID_CHARS)),
        NewsEvent::Back => format!("Readings again of {}", printable(&group.devices, ID_CHARS)),
    }
}

/// A group's devices.
#[must_use]
pub fn who(group: &NewsGroup) -> String {
    let devices = printable(&group.devices, ID_CHARS);
    if group.n_devices == 1 { devices } else { format!("{} devices of {devices}", grouped(group.n_devices)) }
}

/// An alert's kind in words.
#[must_use]
pub fn what(kind: &str) -> String {
    match kind {
        "limit" => "outside the limit",
        "range" => "out of all range",
        "stuck" => "stuck at a value",
        "silence" => "silent",
        "spike" => "sudden change",
        "shift" => "another level",
        "drift" => "slow drift",
        "noise" => "unsteady",
        "other" => "unusual",
        "*" => "several kinds",
        other => return printable(other, ID_CHARS),
    }
    .to_owned()
}

/// An alert of a group in a line, without its device.
#[must_use]
pub fn measured(alert: &NewsAlert) -> String {
    let mut text = String::new();
    let _ = match (alert.temperature, alert.expected) {
        (Some(celsius), Some(expected)) => {
            write!(text, "{celsius:.1} \u{b0}C, expected {expected:.1} \u{b0}C")
        }
        (Some(celsius), None) => write!(text, "{celsius:.1} \u{b0}C"),
        _ => Ok(()),
    };
    text
}

/// A time as people of the zone write it.
#[must_use]
pub fn time(at: i64, look: &Look) -> String {
    match Timestamp::from_millisecond(at) {
        Ok(at) => at.to_zoned(look.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string(),
        Err(_) => at.to_string(),
    }
}

/// A group's times.
#[must_use]
pub fn times(group: &NewsGroup, look: &Look) -> String {
    let (first, last) = (time(group.first_at, look), time(group.last_at, look));
    match group.event {
        NewsEvent::Silent => return format!("silent since {first}"),
        NewsEvent::Back => return format!("silent from {first} to {last}"),
        _ => {}
    }
    if first == last { first } else { format!("{first} to {last}") }
}

/// The link that opens an alert on the page.
#[must_use]
pub fn link(alert_id: &str, look: &Look) -> Option<String> {
    let id = percent_encoding::utf8_percent_encode(alert_id, ESCAPED);
    look.page.as_ref().map(|page| format!("{page}/#/alerts/{id}"))
}

/// The words above a device's id.
#[must_use]
pub fn id(device_id: &str) -> String {
    printable(device_id, ID_CHARS)
}

/// A number with its thousands apart.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
