//! The fleet at a glance.

use serde_json::json;

use crate::Handler;
use crate::cosmos::Cosmos;
use crate::documented::assert_as_documented;

#[tokio::test]
async fn counts_devices_and_names_what_judges_them() {
    let cosmos = Cosmos::with_fixture().await;
    let mut summary = Handler::reading(&cosmos).get("/api/summary", &[]).await.json();
    assert_as_documented("GET /api/summary", &summary);
    let model = summary["model"].take();
    assert_eq!(model["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(model["windowLength"], 32);
    assert_eq!(
        summary,
        json!({ "devices": { "total": 4, "normal": 2, "anomaly": 1, "learning": 1 },
            "newestReadingAt": 1_767_323_059_000_i64, "openAlerts": 2,
            "unacknowledgedAlerts": 1, "policy": "calibrated", "fixedThreshold": null, "model": null })
    );
}

#[tokio::test]
async fn the_fixed_policy_tells_its_threshold() {
    let cosmos = Cosmos::start(vec![]).await;
    let settings = [
        ("CosmosDBConnection", cosmos.connection()),
        ("ALLOW_ANONYMOUS", "true".to_owned()),
        ("DETECTION_POLICY", "fixed".to_owned()),
        ("FIXED_THRESHOLD", "0.25".to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let summary = Handler::new(&settings).get("/api/summary", &[]).await.json();
    assert_as_documented("GET /api/summary", &summary);
    assert_eq!((&summary["policy"], &summary["fixedThreshold"]), (&json!("fixed"), &json!(0.25)));
    assert_eq!(summary["devices"]["total"], 0);
    assert_eq!(summary["newestReadingAt"], json!(null));
}
