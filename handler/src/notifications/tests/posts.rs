//! News as other programs get them.

use detector::Severity;

use super::{AT, all_of, look, of_alerts, outage, step};
use crate::notifications::{grouping, webhook};
use crate::settings::WebhookFormat;

#[test]
fn a_headline_is_short_enough_for_slack_whatever_escaping_adds() {
    for id in ["&".repeat(128), "<a>".repeat(42)] {
        let mut step = step(&id, "opened", Severity::Critical, AT);
        step.kind = "sudden change".to_owned();
        let news = grouping::group(all_of(vec![step]).entries);
        let body = webhook::body(WebhookFormat::Slack, &of_alerts("webhook-alerts", &news), &news, &look());
        let headline = body["blocks"][0]["text"]["text"].as_str().unwrap();
        assert!((140..=150).contains(&headline.chars().count()), "{headline}");
        // No escape is cut in two.
        let n_escapes: usize =
            ["&amp;", "&lt;", "&gt;"].map(|escape| headline.matches(escape).count()).iter().sum();
        assert_eq!(headline.matches('&').count(), n_escapes, "{headline}");
    }
}

#[test]
fn other_programs_get_what_they_read() {
    let news = grouping::group(all_of(outage(30)).entries);
    let document = of_alerts("webhook-alerts", &news);
    for (name, format) in [
        ("webhook_json", WebhookFormat::Json),
        ("webhook_slack", WebhookFormat::Slack),
        ("webhook_teams", WebhookFormat::Teams),
    ] {
        insta::assert_json_snapshot!(name, webhook::body(format, &document, &news, &look()));
    }
}
