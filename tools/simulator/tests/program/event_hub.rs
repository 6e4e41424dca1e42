//! Event Hubs: signed sends with the device id as partition key.

use crate::harness::run;
use crate::hub::{Hub, is_signed, status};
use serde_json::{Value, json};

const HISTORY: [&str; 9] =
    ["--target", "eventhub", "--devices", "3", "--history", "10m", "--duration", "0", "--fault-rate=0"];
const KEY: &str = "an event hub's key is plain text";

#[test]
fn sends_are_signed_and_keyed_by_device() {
    let hub = Hub::start(|_, _| status(201));
    let text = format!(
        "Endpoint=sb://{}/;SharedAccessKeyName=send;SharedAccessKey={KEY};EntityPath=telemetry",
        hub.host
    );
    let run = run(&HISTORY, &[("EVENTHUB_CONNECTION_STRING", &text)]).succeeded();
    let calls = hub.calls();
    assert_eq!(calls.len(), 3);
    let resource = format!("http://{}/telemetry", hub.host);
    for call in &calls {
        assert_eq!(call.uri.path(), "/telemetry/messages");
        assert!(is_signed(call.header("authorization"), &resource, Some("send"), KEY.as_bytes()));
        let properties: Value = serde_json::from_str(call.header("brokerproperties")).unwrap();
        assert_eq!(properties, json!({ "PartitionKey": call.readings()[0]["deviceId"] }));
        assert_eq!(call.readings().len(), 10);
    }
    assert!(!run.stderr.contains(KEY));
}

#[test]
fn the_hub_s_name_comes_from_the_string_or_the_call() {
    let hub = Hub::start(|_, _| status(201));
    let text = format!("Endpoint=sb://{}/;SharedAccessKeyName=send;SharedAccessKey=k", hub.host);
    let variables = [("EVENTHUB_CONNECTION_STRING", text.as_str())];
    let unnamed = run(&HISTORY, &variables);
    assert_eq!(unnamed.code, 64);
    assert!(unnamed.stderr.contains("name the event hub with --hub"), "{}", unnamed.stderr);
    run(&[&HISTORY[..], &["--hub", "other"]].concat(), &variables).succeeded();
    assert!(hub.calls().iter().all(|call| call.uri.path() == "/other/messages"));
}
