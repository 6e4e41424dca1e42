//! Alerts: an empty list until the alert lifecycle exists.

use crate::Handler;
use crate::documented::assert_as_documented;

#[tokio::test]
async fn none_so_far() {
    let handler = Handler::new(&[("ALLOW_ANONYMOUS", "true")]);
    let reply = handler.get("/api/alerts?state=all&deviceId=d1&from=1&to=2&limit=5", &[]).await;
    assert_eq!(reply.text(), r#"{"alerts":[]}"#);
    assert_as_documented("GET /api/alerts", &reply.json());
}
