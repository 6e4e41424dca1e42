//! IoT Hub: one device by its own connection string, a fleet by the hub's.

use crate::harness::run;
use crate::hub::{Call, Hub, is_signed, status};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use serde_json::json;

const KEY: &str = "c2VjcmV0a2V5MTIzNDU2Nzg5MA==";
const KEY_BYTES: &[u8] = b"secretkey1234567890";
const HISTORY: [&str; 7] = ["--target", "iothub", "--history", "10m", "--duration", "0", "--fault-rate=0"];

#[test]
fn one_device_signs_with_its_own_key() {
    let hub = Hub::start(|_, _| status(204));
    let text = format!("HostName={};DeviceId=oven-7;SharedAccessKey={KEY}", hub.host);
    let run = run(&HISTORY, &[("IOTHUB_DEVICE_CONNECTION_STRING", &text)]).succeeded();
    let calls = hub.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].uri.path(), "/devices/oven-7/messages/events");
    let resource = format!("{}/devices/oven-7", hub.host);
    assert!(is_signed(calls[0].header("authorization"), &resource, None, KEY_BYTES));
    assert!(calls[0].readings().iter().all(|reading| reading["deviceId"] == "oven-7"));
    assert!(!run.stderr.contains(KEY));
}

#[test]
fn one_device_is_no_fleet() {
    let text = format!("HostName=127.0.0.1:9;DeviceId=oven-7;SharedAccessKey={KEY}");
    let args = [&HISTORY[..], &["--devices", "3"]].concat();
    let run = run(&args, &[("IOTHUB_DEVICE_CONNECTION_STRING", &text)]);
    assert_eq!(run.code, 64);
    assert!(run.stderr.contains("for 3 devices set IOTHUB_CONNECTION_STRING instead"), "{}", run.stderr);
}

#[test]
fn a_refused_signature_ends_the_run_without_showing_the_key() {
    let hub = Hub::start(|_, _| status(401));
    let text = format!("HostName={};DeviceId=oven-7;SharedAccessKey={KEY}", hub.host);
    let run = run(&HISTORY, &[("IOTHUB_DEVICE_CONNECTION_STRING", &text)]);
    assert_eq!(run.code, 1);
    assert_eq!(hub.calls().len(), 1);
    assert!(
        run.stderr.contains("answered 401 Unauthorized: check the connection string's key"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains(KEY));
}

/// Key of a device, as the registry below hands it out.
fn key_of(device: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("key of {device}"))
}

/// A registry that knows `fridge-002` already, is throttled at first, and checks who asks.
fn registry(n: usize, call: &Call) -> Response {
    let device = call.uri.path().split('/').nth(2).unwrap_or("").to_owned();
    let host = call.header("host").to_owned();
    if call.uri.path().ends_with("/messages/events") {
        let resource = format!("{host}/devices/{device}");
        let signed =
            is_signed(call.header("authorization"), &resource, None, format!("key of {device}").as_bytes());
        return status(if signed { 204 } else { 401 });
    }
    if !is_signed(call.header("authorization"), &host, Some("iothubowner"), KEY_BYTES) {
        return status(401);
    }
    if n == 0 {
        return status(429);
    }
    if device == "fridge-002" && call.method == Method::PUT {
        return status(409);
    }
    let key = json!({ "primaryKey": key_of(&device), "secondaryKey": "" });
    let identity = json!({ "deviceId": device, "authentication": { "type": "sas", "symmetricKey": key } });
    axum::Json(identity).into_response()
}

#[test]
fn a_fleet_is_registered_and_each_device_signs_for_itself() {
    let hub = Hub::start(registry);
    let text = format!("HostName={};SharedAccessKeyName=iothubowner;SharedAccessKey={KEY}", hub.host);
    let args = [&HISTORY[..], &["--devices", "4"]].concat();
    let run = run(&args, &[("IOTHUB_CONNECTION_STRING", &text)]).succeeded();
    assert!(run.stderr.contains("4 devices are registered"), "{}", run.stderr);
    assert!(run.stderr.contains("40 readings sent, 0 failed"), "{}", run.stderr);
    let calls = hub.calls();
    let registered = calls.iter().find(|call| call.method == Method::PUT).unwrap();
    assert_eq!(registered.uri.query(), Some("api-version=2021-04-12"));
    let gets: Vec<_> = calls.iter().filter(|call| call.method == Method::GET).collect();
    assert_eq!(gets.len(), 1, "only the device that existed is read");
    assert_eq!(gets[0].uri.path(), "/devices/fridge-002");
    assert!(!run.stderr.contains(&key_of("fridge-002")));
}

#[test]
fn a_hub_that_refuses_to_register_says_so() {
    let hub = Hub::start(|_, _| (status(403).status(), "quota exceeded").into_response());
    let text = format!("HostName={};SharedAccessKeyName=device;SharedAccessKey={KEY}", hub.host);
    let run = run(&HISTORY, &[("IOTHUB_CONNECTION_STRING", &text)]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("could not be registered"), "{}", run.stderr);
    assert!(run.stderr.contains("answered 403 Forbidden (quota exceeded)"), "{}", run.stderr);
}

#[test]
fn faulty_connection_strings_are_named_and_not_shown() {
    let cases = [
        ("IOTHUB_DEVICE_CONNECTION_STRING", "geheim", "is no connection string"),
        ("IOTHUB_DEVICE_CONNECTION_STRING", "HostName=h;SharedAccessKey=geheim", "has no DeviceId"),
        ("IOTHUB_DEVICE_CONNECTION_STRING", "HostName=h;DeviceId=d;SharedAccessKey=geheim!", "is not base64"),
        ("IOTHUB_CONNECTION_STRING", "HostName=h;SharedAccessKey=geheim", "has no SharedAccessKeyName"),
    ];
    for (name, text, complaint) in cases {
        let run = run(&HISTORY, &[(name, text)]);
        assert_eq!(run.code, 64, "{}", run.stderr);
        assert!(run.stderr.contains(complaint), "{}", run.stderr);
        assert!(!run.stderr.contains("geheim"), "{}", run.stderr);
    }
}
