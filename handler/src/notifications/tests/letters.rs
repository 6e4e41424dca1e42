//! News as documents and letters.

use std::time::{Duration, Instant};

use detector::Severity;
use wire::notifications::{Content, Silent};

use super::{AT, all_of, look, notification, of_alerts, outage, step};
use crate::fleet;
use crate::notifications::told::Name;
use crate::notifications::{Clocks, grouping, letter, silence, wording};

#[test]
fn a_thousand_devices_are_one_line() {
    let mut steps = outage(1000);
    let mut recovered = step("lobby", "closed", Severity::Warning, AT);
    recovered.alert_id = "b.0.0.drift".to_owned();
    steps.push(recovered);
    let news = all_of(steps);
    let names: Vec<Name> = news.entries.iter().flat_map(|entry| entry.names.clone()).collect();
    let news = grouping::group(news.entries);
    assert_eq!(
        wording::subject(&news),
        "1,000 devices of freezer-*: sudden change, critical, and another group"
    );
    let document = notification("mail-alerts", &names[..2], Content::Alerts(news.clone()));
    let mut shown = document.clone();
    let Content::Alerts(news_shown) = &mut shown.content else { panic!("no news") };
    news_shown.groups.iter_mut().for_each(|group| group.worst.truncate(1));
    insta::assert_json_snapshot!("document", shown);
    let letter = letter::of(&document, &look(), "example.com");
    insta::assert_snapshot!("text", letter.text);
    insta::assert_snapshot!("html", letter.html.replace("<tr>", "\n<tr>"));
}

#[test]
fn text_of_devices_is_text() {
    let mut evil = step("<img src=x>\r\nBcc: a@b.c", "opened", Severity::Warning, AT);
    evil.alert_id = "b.1.0.\"><script>".to_owned();
    let news = all_of(vec![evil]);
    let news = grouping::group(news.entries);
    let document = of_alerts("mail-alerts", &news);
    let letter = letter::of(&document, &look(), "example.com");
    assert!(!letter.html.contains("<img") && !letter.html.contains("<script"), "{}", letter.html);
    assert!(!letter.text.contains("\nBcc") && !letter.subject.contains('\n'));
}

#[test]
fn a_silent_hub_is_a_letter_without_devices() {
    let hub = Silent { hub: "telemetry <b>".to_owned(), partition: None, since: AT };
    let mut watch = silence::Watch::new(Duration::from_secs(900));
    let start = Instant::now();
    let heard = |heard_to| fleet::HeardPartition {
        hub: hub.hub.clone(),
        partition: "0".to_owned(),
        heard_to,
        allowance: None,
        bucket: "b".to_owned(),
    };
    let clocks = |minutes: i64| Clocks {
        now: AT + minutes * 60_000,
        steady: start + Duration::from_secs(60 * minutes.unsigned_abs()),
    };
    watch.observe(&[heard(AT)], clocks(20));
    watch.observe(&[heard(AT)], clocks(21));
    let (silent, told) = watch.news(&[]).unwrap();
    assert_eq!(told, std::slice::from_ref(&hub));
    watch.observe(&[heard(AT + 3_600_000)], clocks(60));
    let (back, told) = watch.news(&told).unwrap();
    assert_eq!(told, []);
    let letters =
        [silent, back].map(|news| letter::of(&of_alerts("mail-silence", &news), &look(), "example.com"));
    assert!(letters.iter().all(|letter| !letter.html.contains("<b>") && !letter.html.contains("<th")));
    let shown = letters.map(|letter| format!("{}\n\n{}", letter.subject, letter.text));
    insta::assert_snapshot!("silence", shown.join("\n"));
}
