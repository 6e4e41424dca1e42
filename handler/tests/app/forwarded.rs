//! Requests of people and pages, forwarded as they came.

use axum::body::Body;
use axum::http::Request;

use crate::Handler;

const ANYBODY: [(&str, &str); 1] = [("ALLOW_ANONYMOUS", "true")];

#[tokio::test]
async fn the_readiness_probe_is_told_from_a_browser() {
    let handler = Handler::new(&[]);
    let probe =
        handler.send(Request::get("/").header("Host", "127.0.0.1").body(Body::empty()).unwrap()).await;
    assert_eq!((probe.status, probe.body.len()), (200, 0));
    let browser = handler.get("/", &[]).await;
    assert_eq!(browser.status, 200);
    assert!(browser.text().contains("<!doctype html>"));
}

#[tokio::test]
async fn data_is_for_those_who_show_who_they_are() {
    let keyed = Handler::new(&[("API_KEY", "right")]);
    let signed_in = Handler::new(&[("WEBSITE_AUTH_ENABLED", "True")]);
    // 503 means that access was granted: nobody answers at the store's address.
    for (handler, headers, status) in [
        (&keyed, vec![], 401),
        (&keyed, vec![("x-api-key", "wrong")], 401),
        (&keyed, vec![("x-ms-client-principal-id", "admin"), ("x-ms-client-principal", "e30=")], 401),
        (&keyed, vec![("x-api-key", "right")], 503),
        (&signed_in, vec![], 401),
        (&signed_in, vec![("x-ms-client-principal", "e30=")], 503),
    ] {
        for path in [
            "/api/summary",
            "/api/devices",
            "/API/Devices",
            "/api/devices/d1/readings",
            "/api/rejects",
            "/api/readings?deviceId=d1",
        ] {
            let reply = handler.get(path, &headers).await;
            assert_eq!(reply.status, status, "{path} {headers:?}: {}", reply.text());
            assert!(reply.json()["error"]["message"].is_string());
        }
    }
    assert_eq!(keyed.get("/api/alerts", &[]).await.status, 401);
    assert_eq!(keyed.get("/api/unknown", &[]).await.status, 401);
    assert_eq!(keyed.get("/", &[]).await.status, 200);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let handler = Handler::new(&ANYBODY);
    for (path, parameter) in [
        ("/api/devices?limit=0", "limit"),
        ("/api/devices?status=odd", "status"),
        ("/api/devices?page=2", "page"),
        ("/api/devices/d1/readings?from=yesterday", "from"),
        ("/api/devices/d1/readings?to=never", "to"),
        ("/api/devices/d1/readings?from=2&to=1", "from"),
        ("/api/devices/d1/readings?format=xml", "format"),
        ("/api/devices/d1/readings?limit=100000", "limit"),
        ("/api/devices/%ff/readings", "deviceId"),
        ("/api/readings?from=1", "deviceId"),
        ("/api/readings?deviceId=", "deviceId"),
        ("/api/readings?deviceId=d1&deviceid=d2", "deviceid"),
        ("/api/rejects?limit=1001", "limit"),
        ("/api/rejects?after=1~2", "after"),
        ("/api/rejects?from=2&to=1", "from"),
        ("/api/rejects?format=xml", "format"),
        ("/api/alerts?state=ajar", "state"),
        ("/api/alerts?from=2&to=1", "from"),
        ("/api/summary?x=1", "x"),
    ] {
        let reply = handler.get(path, &[]).await;
        assert_eq!(reply.status, 400, "{path}: {}", reply.text());
        assert_eq!(reply.json()["error"]["parameter"], parameter, "{path}");
        assert!(reply.json()["error"]["message"].as_str().unwrap().contains(parameter));
    }
}

#[tokio::test]
async fn paths_that_lead_nowhere() {
    let handler = Handler::new(&ANYBODY);
    for path in [
        "/..%2fmodel/model_card.json",
        "/model/model_card.json",
        "/api",
        "/api/devices/",
        "/api/devices/a/b/c",
    ] {
        assert_eq!(handler.get(path, &[]).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let handler = Handler::new(&ANYBODY);
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let request = Request::builder().method(method).uri("/api/devices").body(Body::empty()).unwrap();
        assert_eq!(handler.send(request).await.status, 405, "{method}");
    }
    let head = Request::head("/").header("X-Azure-Functions-InvocationId", "1").body(Body::empty()).unwrap();
    let head = handler.send(head).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}
