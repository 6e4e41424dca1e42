//! Unmuting: ends what holds or is planned, once.

use handler::functions::unmute_devices;
use serde_json::{Value, json};

use crate::cosmos::Cosmos;
use crate::documented::assert_as_documented;
use crate::{Handler, post, response};

const NOW: i64 = 1_767_323_090_000;
const PLANNED: &str = "mute-3e4a72ed036fa0b13de70e1b41605074";
const ENDED: &str = "mute-a531d3a80ae5a805e324327c4ec5220f";

async fn act(handler: &Handler, mute_id: &str, now: i64) -> Value {
    let body = json!({ "muteId": mute_id, "by": "carla" });
    let answer = unmute_devices::handle(&handler.app, &post(&body, &[]), now).await;
    serde_json::from_slice(answer.body()).unwrap()
}

#[tokio::test]
async fn a_mute_is_ended_once() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let first = act(&handler, PLANNED, NOW).await;
    insta::assert_json_snapshot!(first);
    assert_as_documented("POST /api/mutes/end", &response(&first).1);
    cosmos.store(&first);
    let repeat = act(&handler, PLANNED, NOW + 1).await;
    assert_eq!(repeat["Outputs"].get("documents"), None);
    assert_eq!(response(&repeat), response(&first));
}

#[tokio::test]
async fn what_is_ended_stays_so_and_what_is_over_cannot_be_ended() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let (status, body) = response(&act(&handler, ENDED, NOW).await);
    assert_eq!((status, &body["mute"]["ended"]["by"]), (200, &json!("berta")));
    for (mute_id, now) in [("mute-unknown", NOW), (PLANNED, 1_767_337_200_001)] {
        assert_eq!(response(&act(&handler, mute_id, now).await).0, 404, "{mute_id}");
    }
}
