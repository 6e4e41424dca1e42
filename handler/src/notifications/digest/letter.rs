//! A digest as a letter: text, HTML and pictures.

use std::fmt::Write;

use maud::{Markup, html};
use wire::notifications::{Digest, DigestCompleteness, DigestDevice, DigestFigure};

use super::chart;
use crate::mail::Picture;
use crate::notifications::wording::{self, Look, grouped};

const CELL: &str = "padding:6px 8px;border-bottom:1px solid #e3e6ea;font-size:14px;vertical-align:top";
const NUMBER: &str = "padding:6px 8px;border-bottom:1px solid #e3e6ea;font-size:14px;text-align:right";
const SECTION: &str = "margin:24px 0 6px;font-size:16px";
const SMALL: &str = "margin:0 0 6px;font-size:13px;color:#5b6470";

/// The subject.
#[must_use]
pub fn subject(digest: &Digest) -> String {
    let opened = digest.figures.first().map_or(0, |figure| figure.now);
    let alerts = if opened == 1 { "1 alert".to_owned() } else { format!("{} alerts", grouped(opened)) };
    let devices = grouped(digest.devices.n_known);
    match digest.n_unacknowledged {
        0 => format!("Digest: {alerts}, {devices} devices"),
        n => format!("Digest: {alerts}, {} open without acknowledgement, {devices} devices", grouped(n)),
    }
}

/// The text for those who read no HTML.
#[must_use]
pub fn text(digest: &Digest, look: &Look) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} to {}\n", wording::time(digest.from, look), wording::time(digest.to, look));
    let _ = writeln!(text, "{}\n", health(digest));
    for figure in &digest.figures {
        let _ = writeln!(text, "{}: {} ({})", figure.name, grouped(figure.now), trend(figure));
    }
    if let Some(completeness) = &digest.completeness {
        let _ = writeln!(text, "\n{}", complete(completeness));
    }
    if !digest.worst.is_empty() {
        let _ = writeln!(text, "\nWorst devices");
        for device in &digest.worst {
            let _ = writeln!(text, "  {}: {}", wording::id(&device.device_id), worst(device, look));
            if let Some(stored) = stored(device) {
                let _ = writeln!(text, "    {stored}");
            }
            if let Some(link) = wording::link(&device.alert.alert_id, look) {
                let _ = writeln!(text, "    {link}");
            }
        }
    }
    if digest.n_unacknowledged > 0 {
        let _ = writeln!(text, "\nOpen and not acknowledged: {}", grouped(digest.n_unacknowledged));
        for alert in &digest.unacknowledged {
            let since = wording::time(alert.opened_at, look);
            let _ = writeln!(text, "  {}: {}, since {since}", wording::id(&alert.device_id), alert.severity);
        }
    }
    if digest.n_silent > 0 {
        let _ = writeln!(text, "\nSilent all the time: {}", grouped(digest.n_silent));
        for (device_id, newest) in &digest.silent {
            let _ =
                writeln!(text, "  {}: last heard {}", wording::id(device_id), wording::time(*newest, look));
        }
    }
    for (reason, n) in &digest.rejects {
        let _ = writeln!(text, "\nRejected as {reason}: {}", grouped(*n));
    }
    for missing in &digest.missing {
        let _ = writeln!(text, "\nNot in this digest: {missing}");
    }
    if let Some(page) = &look.page {
        let _ = writeln!(text, "\n{page}/");
    }
    text
}

/// The body of the HTML.
#[must_use]
pub fn body(digest: &Digest, look: &Look) -> Markup {
    html! {
        h1 style="margin:16px 0 4px;font-size:20px" { "The last day" }
        p style=(SMALL) { (wording::time(digest.from, look)) " to " (wording::time(digest.to, look)) }
        p style="margin:0 0 12px;font-size:14px" { (health(digest)) }
        table role="presentation" width="100%" cellspacing="0" cellpadding="0" style="border-collapse:collapse" {
            @for figure in &digest.figures {
                tr {
                    td style=(CELL) { (figure.name) }
                    td style={ (NUMBER) ";font-weight:bold" } { (grouped(figure.now)) }
                    td style={ (NUMBER) ";color:#5b6470" } { (trend(figure)) }
                }
            }
        }
        @if let Some(completeness) = &digest.completeness {
            p style={ (SMALL) ";margin-top:8px" } { (complete(completeness)) }
        }
        @if !digest.worst.is_empty() {
            h2 style=(SECTION) { "Worst devices" }
            @for (index, device) in digest.worst.iter().enumerate() { (worst_device(index, device, digest, look)) }
        }
        @if digest.n_unacknowledged > 0 {
            h2 style=(SECTION) { "Open and not acknowledged: " (grouped(digest.n_unacknowledged)) }
            (rows(digest.unacknowledged.iter().map(|alert| {
                let link = wording::link(&alert.alert_id, look);
                (wording::id(&alert.device_id), link, format!("{}, since {}", alert.severity, wording::time(alert.opened_at, look)))
            })))
        }
        @if digest.n_silent > 0 {
            h2 style=(SECTION) { "Silent all the time: " (grouped(digest.n_silent)) }
            (rows(digest.silent.iter().map(|(device_id, newest)| {
                (wording::id(device_id), None, format!("last heard {}", wording::time(*newest, look)))
            })))
        }
        @if !digest.rejects.is_empty() {
            h2 style=(SECTION) { "Rejected" }
            (rows(digest.rejects.iter().map(|(reason, n)| (reason.clone(), None, grouped(*n)))))
        }
        @for missing in &digest.missing { p style=(SMALL) { "Not in this digest: " (missing) } }
        @if let Some(page) = &look.page {
            p style="margin:20px 0 0;font-size:14px" { a href={ (page) "/" } { "Open the page" } }
        }
    }
}

/// The pictures of the worst devices.
#[must_use]
pub fn pictures(digest: &Digest) -> Vec<Picture> {
    let draw = |(index, device): (usize, &DigestDevice)| {
        let opened_s = (device.alert.opened_at - digest.from).div_euclid(1000);
        let png = chart::draw(device, (digest.to - digest.from) / 1000, opened_s)?;
        Some(Picture { name: name(index), png })
    };
    digest.worst.iter().enumerate().filter_map(draw).collect()
}

fn name(index: usize) -> String {
    format!("chart-{}", index + 1)
}

fn worst_device(index: usize, device: &DigestDevice, digest: &Digest, look: &Look) -> Markup {
    let celsius = |pick: fn(f32, f32) -> f32| {
        device.curve.iter().map(|(_, celsius)| *celsius).reduce(pick).unwrap_or_default()
    };
    html! {
        p style="margin:12px 0 2px;font-size:14px" {
            @match wording::link(&device.alert.alert_id, look) {
                Some(link) => { a href=(link) { b { (wording::id(&device.device_id)) } } }
                None => { b { (wording::id(&device.device_id)) } }
            }
            ": " (worst(device, look))
        }
        @if device.curve.len() >= 2 && digest.to > digest.from {
            img src={ "cid:" (name(index)) } width="560" alt={ "Temperatures of " (wording::id(&device.device_id)) } style="display:block;width:100%;max-width:560px;height:auto;border:1px solid #e3e6ea";
            p style=(SMALL) {
                (format!("{:.1} to {:.1} \u{b0}C", celsius(f32::min), celsius(f32::max)))
                @if let Some(stored) = stored(device) { "; " (stored) }
            }
        }
    }
}

fn rows(rows: impl Iterator<Item = (String, Option<String>, String)>) -> Markup {
    html! {
        table role="presentation" width="100%" cellspacing="0" cellpadding="0" style="border-collapse:collapse" {
            @for (name, link, what) in rows {
                tr {
                    td style={ (CELL) ";word-break:break-word" } {
                        @match &link { Some(link) => { a href=(link) { (name) } } None => { (name) } }
                    }
                    td style=(CELL) { (what) }
                }
            }
        }
    }
}

fn health(digest: &Digest) -> String {
    let devices = digest.devices;
    let heard = (devices.n_heard * 100).checked_div(devices.n_known).unwrap_or_default();
    format!(
        "{} of {} devices sent readings ({heard} %). At the end {} were in anomaly and {} still learning.",
        grouped(devices.n_heard),
        grouped(devices.n_known),
        grouped(devices.n_anomaly),
        grouped(devices.n_learning),
    )
}

/// Whether the fleet's data are complete, as far as anybody can say.
fn complete(completeness: &DigestCompleteness) -> String {
    let DigestCompleteness { n_events, n_before, n_lost } = *completeness;
    let share = match (n_events * 1000 + n_before / 2).checked_div(n_before) {
        Some(per_mille) => format!(", {}.{} % of the day before", per_mille / 10, per_mille % 10),
        None => String::new(),
    };
    let lost = if n_lost == 0 { String::new() } else { format!(" {} more were lost.", grouped(n_lost)) };
    format!("Completeness, estimated: about {} events came in{share}.{lost}", grouped(n_events))
}

/// How many of a device's readings are there.
fn stored(device: &DigestDevice) -> Option<String> {
    let n_expected = device.n_expected?;
    Some(format!("{} of about {} readings", grouped(device.n_readings), grouped(n_expected)))
}

fn trend(figure: &DigestFigure) -> String {
    let Some(before) = figure.before else { return "not all of them, and none of the day before".to_owned() };
    match figure.now.cmp(&before) {
        std::cmp::Ordering::Equal => "as the day before".to_owned(),
        std::cmp::Ordering::Greater => format!("up from {}", grouped(before)),
        std::cmp::Ordering::Less => format!("down from {}", grouped(before)),
    }
}

fn worst(device: &DigestDevice, look: &Look) -> String {
    let n = if device.n_alerts == 1 {
        "1 alert".to_owned()
    } else {
        format!("{} alerts", grouped(device.n_alerts))
    };
    let (what, at) = (wording::what(&device.kind), wording::time(device.alert.opened_at, look));
    format!("{n}, {}: {what}, {at}", device.alert.severity)
}
