//! HTTP: forwarding, the envelope with connection info, admin calls.

use local_host::LocalHost;
use reqwest::Method;
use reqwest::redirect::Policy;

use crate::Place;
use crate::handler::{Answer, json};

const PAGE: (&str, &str) = (
    "page",
    r#"{ "bindings": [ { "type": "httpTrigger", "direction": "in", "name": "req", "methods": ["get", "head"], "route": "{*path}" },
        { "type": "http", "direction": "out", "name": "res" } ] }"#,
);
const DEVICE: (&str, &str) = (
    "device",
    r#"{ "bindings": [ { "type": "httpTrigger", "direction": "in", "name": "req", "methods": ["get", "post"], "route": "api/devices/{id?}" },
        { "type": "http", "direction": "out", "name": "res" } ] }"#,
);
const NEGOTIATE: (&str, &str) = (
    "negotiate",
    r#"{ "bindings": [ { "type": "httpTrigger", "direction": "in", "name": "req", "methods": ["post"], "route": "api/negotiate" },
        { "type": "signalRConnectionInfo", "direction": "in", "name": "info", "hubName": "telemetry", "connectionStringSetting": "SignalR" },
        { "type": "http", "direction": "out", "name": "res" } ] }"#,
);
const DIGEST: (&str, &str) = (
    "digest",
    r#"{ "bindings": [ { "type": "timerTrigger", "direction": "in", "name": "timer", "schedule": "0 0 0 1 1 *" } ] }"#,
);

async fn call(host: &LocalHost, method: Method, path: &str, body: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let request = client.request(method, format!("http://{}{path}", host.addresses().http));
    let request = if body.is_empty() {
        request
    } else {
        request.header("content-type", "application/json").body(body.to_owned())
    };
    request.send().await.unwrap()
}

#[tokio::test]
async fn forwarded_calls_pass_unchanged_both_ways() {
    let place = Place::new(&[PAGE, DEVICE]);
    let answers = [
        Answer::Reply(
            201,
            "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nETag: \"x\"\r\nContent-Encoding: compress",
            "not really",
        ),
        Answer::Reply(302, "Location: /new", ""),
        Answer::Reply(404, "Content-Type: text/html", "<h1>no</h1>"),
        Answer::Reply(200, "Content-Type: text/javascript", "0123456789"),
    ];
    let (host, recorder) = place.start_with(&answers).await;
    let response = call(&host, Method::POST, "/API/Devices/D1?x=1&X=2", r#"{"a":1}"#).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    assert_eq!(response.headers()["content-encoding"], "compress");
    assert_eq!(call(&host, Method::GET, "/old", "").await.headers()["location"], "/new");
    assert_eq!(call(&host, Method::GET, "/nothing", "").await.text().await.unwrap(), "<h1>no</h1>");
    let head = call(&host, Method::HEAD, "/a.js", "").await;
    assert_eq!(head.headers()["content-length"], "10");
    let requests = recorder.requests();
    assert_eq!(requests[0].line, "POST /API/Devices/D1?x=1,2 HTTP/1.1");
    assert_eq!(requests[0].body, r#"{"a":1}"#);
    assert_eq!(requests[0].header("host"), Some(host.addresses().http.to_string().as_str()));
    assert_eq!(requests[3].line, "HEAD /a.js HTTP/1.1");
    host.stop().await;
}

#[tokio::test]
async fn a_broken_connection_repeats_a_get_but_not_a_post() {
    let place = Place::new(&[DEVICE]);
    let (host, recorder) = place.start_with(&[Answer::Drop; 5]).await;
    assert_eq!(call(&host, Method::GET, "/api/devices/a", "").await.status(), 500);
    assert_eq!(recorder.requests().len(), 4);
    assert_eq!(call(&host, Method::POST, "/api/devices/a", "{}").await.status(), 500);
    assert_eq!(recorder.requests().len(), 5);
    host.stop().await;
}

#[tokio::test]
async fn unmatched_methods_and_the_hosts_own_routes_reach_no_function() {
    let place = Place::new(&[PAGE]);
    let (host, recorder) = place.start_with(&[]).await;
    assert_eq!(call(&host, Method::POST, "/nothing", "x").await.status(), 404);
    assert_eq!(call(&host, Method::GET, "/runtime/webhooks/x", "").await.status(), 404);
    assert_eq!(call(&host, Method::GET, "/admin/host/status", "").await.status(), 200);
    assert_eq!(call(&host, Method::GET, "/admin/functions", "").await.status(), 200);
    assert!(recorder.requests().is_empty());
    host.stop().await;
}

#[tokio::test]
async fn negotiate_gets_its_connection_info_in_an_envelope() {
    let mut place = Place::new(&[NEGOTIATE]);
    place
        .environment
        .insert("SignalR", "Endpoint=http://127.0.0.1;Port=1;AccessKey=a-key-of-this-test;Version=1.0;");
    let (host, recorder) = place.start_with(&[json(r#"{"Outputs":{"res":{"statusCode":200,"headers":{"Content-Type":"application/json"},"body":"{}"}}}"#)]).await;
    let response = call(&host, Method::POST, "/api/negotiate", "").await;
    assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    let envelope = recorder.requests()[0].json();
    let inner: String = serde_json::from_str(envelope["Data"]["info"].as_str().unwrap()).unwrap();
    let info: serde_json::Value = serde_json::from_str(&inner).unwrap();
    assert_eq!(info["url"], format!("http://{}/client/?hub=telemetry", host.addresses().signalr));
    host.stop().await;
}

#[tokio::test]
async fn a_missing_connection_string_fails_before_the_handler_is_asked() {
    let place = Place::new(&[NEGOTIATE]);
    let (host, recorder) = place.start_with(&[]).await;
    assert_eq!(call(&host, Method::POST, "/api/negotiate", "").await.status(), 500);
    assert!(recorder.requests().is_empty());
    host.stop().await;
}

#[tokio::test]
async fn admin_calls_run_in_the_background() {
    let place = Place::new(&[DIGEST]);
    let (host, recorder) = place.start_with(&[]).await;
    assert_eq!(call(&host, Method::POST, "/admin/functions/nothing", r#"{"input":""}"#).await.status(), 404);
    assert_eq!(call(&host, Method::POST, "/admin/functions/digest", r#"{"input":{}}"#).await.status(), 400);
    assert_eq!(call(&host, Method::POST, "/admin/functions/digest", r#"{"input":""}"#).await.status(), 202);
    let request = recorder.wait_for(1).await.remove(0);
    assert_eq!(request.line, "POST /digest HTTP/1.1");
    assert_eq!(request.json()["Data"]["timer"]["ScheduleStatus"]["Last"], "0001-01-01T00:00:00+00:00");
    host.stop().await;
}
