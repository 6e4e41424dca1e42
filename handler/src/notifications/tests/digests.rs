//! A digest as a letter.

use jiff::tz::TimeZone;
use wire::notifications::{
    Content, Digest, DigestCompleteness, DigestDevice, DigestDevices, DigestFigure, NewsAlert,
    NotificationDocument,
};

use super::{AT, look, notification};
use crate::notifications::{Look, letter};

#[test]
fn a_digest_is_small_and_says_what_there_is() {
    let alert = |n: i64| NewsAlert {
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
    let device = |n: i64| DigestDevice {
        device_id: format!("freezer-{n}"),
        n_alerts: 2,
        alert: alert(n),
        kind: "drift".to_owned(),
        n_readings: 1440 - u64::try_from(n).unwrap() * 100,
        n_expected: (n != 3).then_some(1440),
        curve: wave(n),
    };
    let figure = |name: &str, now, before| DigestFigure { name: name.to_owned(), now, before };
    let digest = Digest {
        from: AT,
        to: AT + 24 * 3_600_000,
        devices: DigestDevices { n_known: 1000, n_heard: 987, n_anomaly: 12, n_learning: 3 },
        figures: vec![
            figure("Alerts opened", 14, Some(9)),
            figure("of these critical", 4, Some(4)),
            figure("Devices with alerts", 12, None),
            figure("Rejected events", 0, Some(17)),
        ],
        worst: (1..=5).map(device).collect(),
        unacknowledged: (1..=3).map(alert).collect(),
        n_unacknowledged: 3,
        silent: vec![("cellar-1".to_owned(), AT - 90_000_000)],
        n_silent: 13,
        completeness: Some(DigestCompleteness { n_events: 1_380_212, n_before: 1_439_870, n_lost: 512 }),
        rejects: vec![("malformed".to_owned(), 12)],
        missing: vec![],
    };
    let document = notification("mail-digest", &[], Content::Digest(Box::new(digest)));
    let stored: NotificationDocument =
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
