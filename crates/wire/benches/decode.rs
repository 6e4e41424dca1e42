//! How fast a batch of events is decoded, from the request's body to events that can be read.
//!
//! `iot_hub` has all properties that IoT Hub stamps, about 1 KB an event; `bare` has only what an event hub adds. The peer
//! `value_twice` is what one writes first: parse everything into values, and the texts inside once more.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run shall stop")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use std::hint::black_box;
use wire::invocation::{EventBatchRequest, RawObject};

const BATCH_SIZES: [usize; 4] = [1, 16, 128, 512];

fn decode_benchmark(criterion: &mut Criterion) {
    for (kind, system_properties) in
        [("iot_hub", iot_hub_properties as fn(usize) -> Value), ("bare", bare_properties)]
    {
        let mut group = criterion.benchmark_group(kind);
        for n_events in BATCH_SIZES {
            let body = envelope(n_events, system_properties);
            group.throughput(Throughput::Elements(n_events as u64));
            group.bench_with_input(BenchmarkId::new("wire", n_events), &body, |bencher, body| {
                bencher.iter(|| wire_decode(black_box(body)));
            });
            group.bench_with_input(BenchmarkId::new("value_twice", n_events), &body, |bencher, body| {
                bencher.iter(|| value_twice(black_box(body)));
            });
        }
        group.finish();
    }
}

/// The check that every document passes on its way out.
fn check_benchmark(criterion: &mut Criterion) {
    let row = json!([12, 4711, 21.537, 24.912, 0.018_431, 0.371_2, 0]);
    let readings: serde_json::Map<String, Value> =
        (0..32).map(|index| (device(index), json!(vec![&row; 16]))).collect();
    let document = json!({ "id": "r-1", "bucket": "a.0.1", "readings": readings }).to_string();
    let mut group = criterion.benchmark_group("check");
    group.throughput(Throughput::Bytes(document.len() as u64));
    group.bench_function("512_readings", |bencher| {
        bencher.iter(|| RawObject::new(black_box(document.clone())).expect("undamaged"));
    });
    group.finish();
}

fn wire_decode(body: &[u8]) -> usize {
    let request = EventBatchRequest::parse(body, "events").expect("envelope");
    let events = request.events().expect("events");
    let known = |event: &wire::invocation::Event<'_>| {
        event.text.len()
            + usize::from(event.sequence_number.is_some())
            + event.device_id.as_ref().map_or(0, |id| id.len())
    };
    events.iter().map(known).sum()
}

fn value_twice(body: &[u8]) -> usize {
    let envelope: Value = serde_json::from_slice(body).expect("envelope");
    let array =
        |value: &Value| -> Vec<Value> { serde_json::from_str(value.as_str().expect("text")).expect("array") };
    let texts = array(&envelope["Data"]["events"]);
    let numbers = array(&envelope["Metadata"]["SequenceNumberArray"]);
    let times = array(&envelope["Metadata"]["EnqueuedTimeUtcArray"]);
    let system = array(&envelope["Metadata"]["SystemPropertiesArray"]);
    black_box((numbers, times));
    let known = |(text, system): (&Value, &Value)| {
        let id = system["iothub-connection-device-id"].as_str().map_or(0, str::len);
        text.as_str().expect("text").len() + 1 + id
    };
    texts.iter().zip(&system).map(known).sum()
}

fn envelope(n_events: usize, system_properties: fn(usize) -> Value) -> Vec<u8> {
    let array = |element: fn(usize) -> Value| text((0..n_events).map(element).collect());
    let partition = json!({
        "IsCheckpointingAfterInvocation": true, "FullyQualifiedNamespace": "ns.example", "EventHubName": "telemetry",
        "ConsumerGroup": "$Default", "PartitionId": "0"
    });
    let body = json!({
        "Data": { "events": array(event) },
        "Metadata": {
            "TriggerPartitionContext": partition,
            "PartitionContext": partition,
            "PartitionKeyArray": array(|index| json!(device(index))),
            "OffsetArray": array(|index| json!((4_294_967_296 + index).to_string())),
            "OffsetStringArray": array(|index| json!((4_294_967_296 + index).to_string())),
            "SequenceNumberArray": array(|index| json!(4711 + index)),
            "EnqueuedTimeUtcArray": array(|index| json!(format!("2026-01-02T03:04:05.{:03}", index % 1000))),
            "PropertiesArray": array(|_| json!({})),
            "SystemPropertiesArray": array(system_properties),
            "sys": { "MethodName": "score_telemetry", "UtcNow": "2026-01-02T03:04:06.1234567Z", "RandGuid": "7f3c1a52" },
            "RetryContext": { "RetryCount": 0, "MaxRetryCount": -1, "Exception": null, "Instance": null, "State": {} }
        }
    });
    serde_json::to_vec(&body).expect("json")
}

fn text(array: Vec<Value>) -> Value {
    Value::String(Value::Array(array).to_string())
}

fn device(index: usize) -> String {
    format!("device-{:04}", index % 512)
}

fn event(index: usize) -> Value {
    let reading = json!({
        "deviceId": device(index), "temperature": 21.5 + (index % 10) as f64 / 10.0,
        "timestamp": "2026-01-02T03:04:05.123Z", "messageId": format!("m-{index}")
    });
    Value::String(reading.to_string())
}

fn iot_hub_properties(index: usize) -> Value {
    let time = format!("2026-01-02T03:04:05.{:03}", index % 1000);
    json!({
        "message-id": format!("m-{index}"), "correlation-id": format!("c-{index}"),
        "content-type": "application/json", "content-encoding": "utf-8",
        "iothub-connection-device-id": device(index),
        "iothub-connection-auth-method":
            "{\"scope\":\"device\",\"type\":\"sas\",\"issuer\":\"iothub\",\"acceptingIpFilterRule\":null}",
        "iothub-connection-auth-generation-id": "637388034455888246",
        "iothub-enqueuedtime": format!("{time}Z"), "iothub-message-source": "Telemetry",
        "x-opt-sequence-number": 4711 + index, "x-opt-offset": (4_294_967_296 + index).to_string(),
        "x-opt-enqueued-time": format!("{time}+00:00"),
        "SequenceNumber": 4711 + index, "Offset": 4_294_967_296 + index,
        "OffsetString": (4_294_967_296 + index).to_string(), "PartitionKey": null, "EnqueuedTimeUtc": time
    })
}

fn bare_properties(index: usize) -> Value {
    json!({
        "x-opt-sequence-number": 4711 + index, "SequenceNumber": 4711 + index, "Offset": 4_294_967_296 + index,
        "OffsetString": (4_294_967_296 + index).to_string(), "PartitionKey": device(index),
        "EnqueuedTimeUtc": format!("2026-01-02T03:04:05.{:03}", index % 1000)
    })
}

criterion_group!(benches, decode_benchmark, check_benchmark);
criterion_main!(benches);
