//! What is told of steps, and how it looks.

use detector::Severity;
use jiff::tz::TimeZone;
use wire::notifications::{Content, NewsEvent};
use wire::people::{Acknowledgement, Act, Mute};

use super::choose::{Choice, News, Standing};
use super::claim::{Claimant, Draft};
use super::told::{Name, Told};
use super::{Look, grouping, letter, reminders, wording};
use crate::fleet::Fleet;
use crate::people::{Acknowledgements, Mutes};
use crate::settings::WebhookFormat;
use crate::store::{MuteDocument, StoredStep};

/// 2026-01-02T03:04:05Z.
const AT: i64 = 1_767_323_045_000;

fn step(device_id: &str, step: &str, severity: Severity, at: i64) -> StoredStep {
    StoredStep {
        alert_id: format!("b.{}.0.spike", device_id.len()),
        step: step.to_owned(),
        device_id: device_id.to_owned(),
        kind: "spike".to_owned(),
        severity: severity.name().to_owned(),
        opened_at: AT,
        at,
        temperature: 38.2,
        expected: Some(24.9),
        peak_score: 6.2,
        stored_at: at / 1000 + 1,
    }
}

/// A fleet of one device with its newest reading, and with the alert that it knows as open.
fn fleet(device_id: &str, timestamp: i64, alert_id: Option<&str>) -> Fleet {
    let alert = alert_id.map(|alert_id| {
        serde_json::json!({ "alertId": alert_id, "kind": "spike", "severity": "warning", "openedAt": AT })
    });
    let device = serde_json::json!({
        "deviceId": device_id, "status": "normal", "learning": false, "timestamp": timestamp, "temperature": 5.0,
        "expected": null, "error": null, "score": null, "anomaly": false, "lastAnomalyAt": null, "alert": alert
    });
    Fleet { devices: vec![serde_json::from_value(device).unwrap()] }
}

fn choose(steps: Vec<StoredStep>, fleet: &Fleet, told: &Told, mutes: &Mutes) -> News {
    let standing = Standing::of(fleet);
    Choice { told, standing: &standing, mutes, critical_only: false }.among(steps)
}

fn events(news: &News) -> Vec<NewsEvent> {
    news.entries.iter().map(|entry| entry.event).collect()
}

#[test]
fn what_an_alert_went_through_is_one_entry() {
    let (warning, critical) = (Severity::Warning, Severity::Critical);
    let opened = || step("d1", "opened", warning, AT);
    let escalated = || step("d1", "escalated", critical, AT + 60_000);
    let closed = || step("d1", "closed", critical, AT + 120_000);
    for (steps, expected) in [
        (vec![opened()], NewsEvent::Opened),
        (vec![escalated(), opened(), opened()], NewsEvent::Opened),
        (vec![escalated()], NewsEvent::Escalated),
        (vec![closed()], NewsEvent::Closed),
        (vec![closed(), escalated()], NewsEvent::Closed),
        (vec![opened(), closed()], NewsEvent::Passed),
    ] {
        let n_steps = steps.iter().map(|step| &step.step).collect::<std::collections::HashSet<_>>().len();
        let news = choose(steps, &Fleet::default(), &Told::default(), &Mutes::default());
        assert_eq!(events(&news), [expected]);
        assert_eq!(news.entries[0].names.len(), n_steps);
    }
    let news = choose(vec![opened(), escalated()], &Fleet::default(), &Told::default(), &Mutes::default());
    assert_eq!(news.entries[0].alert.severity, "critical");
}

#[test]
fn what_was_told_or_is_muted_or_void_is_left_out() {
    let steps = || vec![step("d1", "opened", Severity::Warning, AT)];
    let (nobody, none) = (Mutes::default(), Told::default());
    let mut told = Told::default();
    told.add(Name::of_step("b.2.0.spike", "opened"));
    assert!(choose(steps(), &Fleet::default(), &told, &nobody).entries.is_empty());

    let act = Act { by: "anna".to_owned(), at: AT };
    let mutes = [MuteDocument::Mute(Mute::new("d*", (AT - 1, AT + 1), "defrosting", act))];
    let news = choose(steps(), &Fleet::default(), &none, &mutes.into_iter().collect());
    assert_eq!((news.entries.len(), news.n_left_out), (0, 1));

    // A row that is as new, and knows another alert or none; one that is older says nothing.
    for (fleet, n_told) in [
        (fleet("d1", AT, None), 0),
        (fleet("d1", AT + 5, Some("b.9.0.drift")), 0),
        (fleet("d1", AT + 5, Some("b.2.0.spike")), 1),
        (fleet("d1", AT - 1, None), 1),
        (fleet("d2", AT, None), 1),
    ] {
        assert_eq!(choose(steps(), &fleet, &none, &nobody).entries.len(), n_told);
    }
}

#[test]
fn a_closing_that_the_device_s_row_denies_is_none() {
    let closed = || vec![step("d1", "closed", Severity::Warning, AT + 1000)];
    let known = Some("b.2.0.spike");
    let (none, nobody) = (Told::default(), Mutes::default());
    assert!(choose(closed(), &fleet("d1", AT + 1000, known), &none, &nobody).entries.is_empty());
    assert_eq!(choose(closed(), &fleet("d1", AT + 999, known), &none, &nobody).entries.len(), 1);
}

#[test]
fn old_steps_are_news_only_while_their_alert_is_open() {
    let mut old = step("d1", "opened", Severity::Warning, AT);
    old.stored_at = AT / 1000 + 25 * 3600;
    let (none, nobody) = (Told::default(), Mutes::default());
    assert!(choose(vec![old.clone()], &Fleet::default(), &none, &nobody).entries.is_empty());
    assert_eq!(choose(vec![old], &fleet("d1", AT, Some("b.2.0.spike")), &none, &nobody).entries.len(), 1);
}

fn look() -> Look {
    Look { zone: TimeZone::UTC, page: Some("https://example.com".to_owned()) }
}

fn outage(n_devices: usize) -> Vec<StoredStep> {
    (1..=n_devices)
        .map(|n| {
            let mut step = step(
                &format!("freezer-{n}"),
                "opened",
                Severity::Critical,
                AT + 10 * i64::try_from(n).unwrap(),
            );
            step.alert_id = format!("b.{n}.0.spike");
            step.peak_score = f64::from(u32::try_from(n).unwrap());
            step
        })
        .collect()
}

#[test]
fn a_thousand_devices_are_one_line() {
    let mut steps = outage(1000);
    let mut recovered = step("lobby", "closed", Severity::Warning, AT);
    recovered.alert_id = "b.0.0.drift".to_owned();
    steps.push(recovered);
    let news = choose(steps, &Fleet::default(), &Told::default(), &Mutes::default());
    let names: Vec<Name> = news.entries.iter().flat_map(|entry| entry.names.clone()).collect();
    let news = grouping::group(news.entries);
    assert_eq!(
        wording::subject(&news),
        "1,000 devices of freezer-*: sudden change, critical, and another group"
    );
    let document = Draft {
        chain: "mail-alerts",
        number: 7,
        recipients: vec!["anna@example.com".to_owned()],
        seen_to: AT / 1000,
        names: &names[..2],
        content: Content::Alerts(news.clone()),
    }
    .claimed_by(Claimant { name: "w", now: AT + 60_000 });
    let mut shown = document.clone();
    let Content::Alerts(news_shown) = &mut shown.content else { panic!("no news") };
    news_shown.groups.iter_mut().for_each(|group| group.worst.truncate(1));
    insta::assert_json_snapshot!("document", shown);
    let letter = letter::of(&document, &look(), "example.com");
    insta::assert_snapshot!("text", letter.text);
    insta::assert_snapshot!("html", letter.html.replace("<tr>", "\n<tr>"));
}

#[test]
fn a_hundred_kinds_of_devices_are_few_groups_and_each_is_counted() {
    let mut steps = Vec::new();
    for n in 0..100 {
        let mut step = step(&format!("{n:x}-room"), "opened", Severity::Warning, AT);
        step.alert_id = format!("b.{n}.0.spike");
        steps.push(step);
    }
    let news = grouping::group(choose(steps, &Fleet::default(), &Told::default(), &Mutes::default()).entries);
    assert!(news.groups.len() <= 12, "{} groups", news.groups.len());
    assert_eq!(news.groups.iter().map(|group| group.n_alerts).sum::<u64>(), 100);
}

#[test]
fn ids_are_cut_before_their_number() {
    for (id, prefix) in [
        ("freezer-7", "freezer-"),
        ("d12", "d"),
        ("site1/rack2/sensor03", "site1/rack2/sensor"),
        ("freezer-7a", "freezer-"),
        ("lobby", "lobby"),
        ("north-wing", "north-wing"),
        ("42", ""),
        ("\u{1f9ca}7", "\u{1f9ca}"),
    ] {
        assert_eq!(grouping::prefix_of(id), prefix, "{id}");
    }
}

#[test]
fn text_of_devices_is_text() {
    let mut evil = step("<img src=x>\r\nBcc: a@b.c", "opened", Severity::Warning, AT);
    evil.alert_id = "b.1.0.\"><script>".to_owned();
    let news = choose(vec![evil], &Fleet::default(), &Told::default(), &Mutes::default());
    let news = grouping::group(news.entries);
    let draft = Draft {
        chain: "mail-alerts",
        number: 1,
        recipients: vec![],
        seen_to: 0,
        names: &[],
        content: Content::Alerts(news.clone()),
    };
    let document = draft.claimed_by(Claimant { name: "w", now: AT });
    let letter = letter::of(&document, &look(), "example.com");
    assert!(!letter.html.contains("<img") && !letter.html.contains("<script"), "{}", letter.html);
    assert!(!letter.text.contains("\nBcc") && !letter.subject.contains('\n'));
}

#[test]
fn a_digest_is_small_and_says_what_there_is() {
    let alert = |n: i64| wire::notifications::NewsAlert {
        alert_id: format!("b.{n}.0.drift"),
        device_id: format!("freezer-{n}"),
        severity: "critical".to_owned(),
        opened_at: AT + n * 3_600_000,
        at: AT + n * 3_600_000,
        temperature: Some(-9.1),
        expected: Some(-18.0),
        peak_score: Some(4.0),
    };
    let wave = |n: i64| {
        (0..240_i16)
            .map(|at| (i64::from(at) * 360, f32::from((at * 7 * i16::try_from(n).unwrap()) % 90) / 10.0))
            .collect()
    };
    let device = |n: i64| wire::notifications::DigestDevice {
        device_id: format!("freezer-{n}"),
        n_alerts: 2,
        alert: alert(n),
        kind: "drift".to_owned(),
        curve: wave(n),
    };
    let figure =
        |name: &str, now, before| wire::notifications::DigestFigure { name: name.to_owned(), now, before };
    let digest = wire::notifications::Digest {
        from: AT,
        to: AT + 24 * 3_600_000,
        devices: wire::notifications::DigestDevices {
            n_known: 1000,
            n_heard: 987,
            n_anomaly: 12,
            n_learning: 3,
        },
        figures: vec![
            figure("Alerts opened", 14, 9),
            figure("of these critical", 4, 4),
            figure("Rejected events", 0, 17),
        ],
        worst: (1..=5).map(device).collect(),
        unacknowledged: (1..=3).map(alert).collect(),
        n_unacknowledged: 3,
        silent: vec![("cellar-1".to_owned(), AT - 90_000_000)],
        n_silent: 13,
        rejects: vec![("malformed".to_owned(), 12)],
        missing: vec![],
    };
    let draft = Draft {
        chain: "mail-digest",
        number: 20_455,
        recipients: vec![],
        seen_to: 0,
        names: &[],
        content: Content::Digest(Box::new(digest)),
    };
    let document = draft.claimed_by(Claimant { name: "w", now: AT });
    let stored: wire::notifications::NotificationDocument =
        serde_json::from_str(&serde_json::to_string(&document).unwrap()).unwrap();
    assert_eq!(stored, document);
    let look = Look { zone: TimeZone::get("Europe/Berlin").unwrap(), ..look() };
    let letter = letter::of(&document, &look, "example.com");
    assert_eq!(letter.pictures.len(), 5);
    let n_bytes = letter.html.len()
        + letter.text.len()
        + letter.pictures.iter().map(|picture| picture.png.len() * 4 / 3).sum::<usize>();
    assert!(n_bytes < 150_000, "{n_bytes} bytes");
    assert_eq!(letter::of(&document, &look, "example.com"), letter);
    insta::assert_snapshot!("digest_subject_and_text", format!("{}\n\n{}", letter.subject, letter.text));
    insta::assert_snapshot!("digest_html", letter.html.replace("<tr>", "\n<tr>"));
}

#[test]
fn other_programs_get_what_they_read() {
    let news =
        grouping::group(choose(outage(30), &Fleet::default(), &Told::default(), &Mutes::default()).entries);
    let draft = Draft {
        chain: "webhook-alerts",
        number: 3,
        recipients: vec![],
        seen_to: 0,
        names: &[],
        content: Content::Alerts(news.clone()),
    };
    let document = draft.claimed_by(Claimant { name: "w", now: AT });
    for (name, format) in [
        ("webhook_json", WebhookFormat::Json),
        ("webhook_slack", WebhookFormat::Slack),
        ("webhook_teams", WebhookFormat::Teams),
    ] {
        insta::assert_json_snapshot!(name, super::webhook::body(format, &document, &news, &look()));
    }
}

#[test]
fn people_are_reminded_of_what_is_critical_and_open_until_somebody_takes_note() {
    let hour = 3_600_000;
    let mut fleet = fleet("d1", AT, Some("b.2.0.spike"));
    let (nobody, unnoticed) = (Mutes::default(), Acknowledgements::default());
    assert!(reminders::critical(&fleet, &nobody).is_empty(), "a warning");
    if let Some(alert) = &mut fleet.devices[0].alert {
        alert.severity = "critical".to_owned();
    }
    let critical = reminders::critical(&fleet, &nobody);
    let mut told = Told::default();
    let due = |told: &Told, now| reminders::due(&critical, &unnoticed, told, now);
    assert!(due(&told, AT + hour - 1).is_empty());
    let mut n_reminders = 0;
    for now in (0..40).map(|half| AT + half * hour / 2) {
        for entry in due(&told, now) {
            assert_eq!(entry.event, NewsEvent::Reminder);
            n_reminders += 1;
            entry.names.iter().for_each(|name| told.add(*name));
        }
    }
    assert_eq!(n_reminders, 4, "after 1, 3, 7 and 15 hours");
    // After a long stop there is one, not all that were due.
    assert_eq!(due(&Told::default(), AT + 40 * hour).len(), 1);

    let act = || Act { by: "anna".to_owned(), at: AT };
    let noticed: Acknowledgements =
        [Acknowledgement::new("b.2.0.spike", "", act()).unwrap()].into_iter().collect();
    assert!(reminders::due(&critical, &noticed, &Told::default(), AT + hour).is_empty());
    let mute = Mute::new("*", (AT - 1, AT + 1), "", act());
    assert!(reminders::critical(&fleet, &[MuteDocument::Mute(mute)].into_iter().collect()).is_empty());
}

#[test]
fn who_is_told_late_is_not_reminded_at_once() {
    let opened = step("d1", "opened", Severity::Critical, AT);
    let news = choose(vec![opened], &Fleet::default(), &Told::default(), &Mutes::default());
    let mut told = Told::default();
    news.entries[0].all_names(AT + 4 * 3_600_000).for_each(|name| told.add(name));
    assert!(told.holds(Name::of_reminder("b.2.0.spike", 1)), "the one after three hours");
    assert!(!told.holds(Name::of_reminder("b.2.0.spike", 2)));
}
