//! News as other programs get them.

use super::{all_of, look, of_alerts, outage};
use crate::notifications::{grouping, webhook};
use crate::settings::WebhookFormat;

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
