//! Envelopes as the real host sends them for Event Hubs triggers: keys, order and double encoding as recorded.

use serde_json::{Value, json};

/// One event of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// What the device wrote.
    pub(crate) text: String,
    /// The device that IoT Hub authenticated; `None` for a plain event hub.
    pub(crate) device_id: Option<String>,
}

/// A batch on its way to the handler.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) first_sequence: i64,
    pub(crate) enqueued_ms: i64,
    pub(crate) retry_count: u32,
    pub(crate) events: Vec<Sent>,
}

impl Envelope {
    /// A batch from a sequence number on; times are of January 2026.
    pub(crate) fn new(first_sequence: i64, events: Vec<Sent>) -> Self {
        Self { first_sequence, enqueued_ms: 1_767_323_045_678, retry_count: 0, events }
    }

    /// The request's body.
    pub(crate) fn body(&self) -> Vec<u8> {
        let numbered = || self.events.iter().zip(self.first_sequence..);
        let array = |values: Vec<Value>| Value::String(Value::Array(values).to_string());
        let time = jiff::Timestamp::from_millisecond(self.enqueued_ms).expect("a time");
        let time = time.to_string().trim_end_matches('Z').to_owned();
        let partition = json!({
            "IsCheckpointingAfterInvocation": true, "FullyQualifiedNamespace": "ns.example",
            "EventHubName": "telemetry", "ConsumerGroup": "handler", "PartitionId": "0"
        });
        let body = json!({
            "Data": { "events": array(self.events.iter().map(|event| json!(event.text)).collect()) },
            "Metadata": {
                "TriggerPartitionContext": partition,
                "PartitionContext": partition,
                "PartitionKeyArray": array(self.events.iter().map(|_| Value::Null).collect()),
                "OffsetArray": array(numbered().map(|(_, n)| json!((4_294_967_296 + n).to_string())).collect()),
                "OffsetStringArray": array(numbered().map(|(_, n)| json!((4_294_967_296 + n).to_string())).collect()),
                "SequenceNumberArray": array(numbered().map(|(_, n)| json!(n)).collect()),
                "EnqueuedTimeUtcArray": array(self.events.iter().map(|_| json!(time)).collect()),
                "PropertiesArray": array(self.events.iter().map(|_| json!({})).collect()),
                "SystemPropertiesArray": array(numbered().map(|(event, n)| system_properties(event, n, &time)).collect()),
                "sys": { "MethodName": "score_telemetry", "UtcNow": "2026-01-02T03:04:06.1234567Z", "RandGuid": "7f3c1a52-0000-4000-8000-000000000000" },
                "RetryContext": { "RetryCount": self.retry_count, "MaxRetryCount": -1, "Exception": null, "Instance": null, "State": {} }
            }
        });
        serde_json::to_vec(&body).expect("JSON")
    }
}

fn system_properties(event: &Sent, sequence: i64, time: &str) -> Value {
    let offset = 4_294_967_296 + sequence;
    match &event.device_id {
        None => json!({
            "x-opt-sequence-number": sequence, "SequenceNumber": sequence, "Offset": offset,
            "OffsetString": offset.to_string(), "PartitionKey": null, "EnqueuedTimeUtc": time
        }),
        Some(device_id) => json!({
            "message-id": format!("m-{sequence}"), "correlation-id": format!("c-{sequence}"),
            "content-type": "application/json", "content-encoding": "utf-8",
            "iothub-connection-device-id": device_id,
            "iothub-connection-auth-method": "{\"scope\":\"device\",\"type\":\"sas\",\"issuer\":\"iothub\",\"acceptingIpFilterRule\":null}",
            "iothub-connection-auth-generation-id": "637388034455888246",
            "iothub-enqueuedtime": format!("{time}Z"), "iothub-message-source": "Telemetry",
            "x-opt-sequence-number": sequence, "x-opt-offset": offset.to_string(),
            "x-opt-enqueued-time": format!("{time}+00:00"), "SequenceNumber": sequence, "Offset": offset,
            "OffsetString": offset.to_string(), "PartitionKey": null, "EnqueuedTimeUtc": time
        }),
    }
}
