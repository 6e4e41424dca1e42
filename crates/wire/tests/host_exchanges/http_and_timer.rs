use serde_json::Value;
use wire::invocation::{
    EventBatchRequest, HttpRequest, INVOCATION_ID_HEADER, Retry, TimerRequest, is_readiness_probe,
};

use crate::recordings::{self, epoch_ms};

#[test]
fn every_enveloped_http_request_is_read_right() {
    let mut n_requests = 0;
    for exchange in recordings::read("http_enveloped.jsonl") {
        for body in exchange.bodies() {
            let id = &exchange.id;
            let request =
                HttpRequest::parse(body.as_bytes(), "req").unwrap_or_else(|error| panic!("{id}: {error}"));
            let raw = serde_json::from_str::<Value>(body).expect("json")["Data"]["req"].take();
            assert_eq!(request.url, raw["Url"], "{id}");
            assert_eq!(request.method, raw["Method"], "{id}");
            assert_eq!(request.body.as_deref(), raw["Body"].as_str(), "{id}");
            assert_eq!(serde_json::to_value(&request.params).expect("json"), raw["Params"], "{id}");
            assert_eq!(serde_json::to_value(&request.query).expect("json"), raw["Query"], "{id}");
            for (name, values) in raw["Headers"].as_object().expect("headers") {
                assert_eq!(request.header(&name.to_uppercase()), values[0].as_str(), "{id}");
            }
            assert_eq!(request.headers().count(), raw["Headers"].as_object().expect("headers").len(), "{id}");
            n_requests += 1;
        }
    }
    assert_eq!(n_requests, 26);
}

#[test]
fn connection_info_is_read_and_its_token_kept_quiet() {
    let mut n_infos = 0;
    for exchange in recordings::read("http_enveloped.jsonl") {
        let Some(binding) = exchange.binding("signalRConnectionInfo") else {
            continue;
        };
        let name = binding["name"].as_str().expect("a name");
        for body in exchange.bodies() {
            let request = HttpRequest::parse(body.as_bytes(), "req").expect("a request");
            let info = request.connection_info(name).expect("a connection info");
            assert_eq!(info.url, "http://localhost:8888/client/?hub=telemetry");
            let token = info.access_token.expose().to_owned();
            assert!(body.contains(&token) && token.split('.').count() == 3);
            assert!(!format!("{info:?} {request:?}").contains(&token));
            let answer: Value = serde_json::from_str(&info.to_json()).expect("json");
            assert_eq!(answer, serde_json::json!({ "url": info.url, "accessToken": token }));
            assert!(request.connection_info("other").is_err());
            n_infos += 1;
        }
    }
    assert_eq!(n_infos, 1);
}

#[test]
fn connection_info_in_fewer_layers_and_in_none() {
    let info = |input: &str| {
        let body = format!(r#"{{"Data":{{"req":{{"Url":"u","Method":"POST"}},"connectionInfo":{input}}}}}"#);
        HttpRequest::parse(body.as_bytes(), "req").expect("a request").connection_info("connectionInfo")
    };
    let object = r#"{"url":"u","accessToken":"t","tokenLifetimeSeconds":60}"#;
    let once = serde_json::to_string(object).expect("json");
    let twice = serde_json::to_string(&once).expect("json");
    for input in [object, &once, &twice] {
        assert_eq!(info(input).expect(input).access_token.expose(), "t");
    }
    for input in ["null", "\"\"", "\"x\"", "{}", "[]", "1"] {
        assert!(info(input).is_err(), "{input}");
    }
}

#[test]
fn debug_output_of_a_request_holds_no_secret() {
    let body =
        br#"{"Data":{"req":{"Url":"http://h/api/x?key=secret1","Method":"POST","Query":{"key":"secret1"},
        "Headers":{"X-Api-Key":["secret2"]},"Params":{},"Body":"secret3"}}}"#;
    let request = HttpRequest::parse(body, "req").expect("a request");
    assert_eq!(request.header("x-api-key"), Some("secret2"));
    assert!(!format!("{request:?}").contains("secret"));
}

#[test]
fn every_timer_request_is_read_right() {
    let (mut n_requests, mut n_retries, mut n_unmonitored) = (0, 0, 0);
    for exchange in recordings::all() {
        if exchange.binding("timerTrigger").is_none() {
            continue;
        }
        for body in exchange.bodies() {
            let id = &exchange.id;
            let request =
                TimerRequest::parse(body.as_bytes(), "timer").unwrap_or_else(|error| panic!("{id}: {error}"));
            let envelope: Value = serde_json::from_str(body).expect("json");
            let timer = &envelope["Data"]["timer"];
            assert_eq!(Some(request.is_past_due), timer["IsPastDue"].as_bool(), "{id}");
            match request.schedule_status {
                None => {
                    assert!(timer["ScheduleStatus"].is_null(), "{id}");
                    n_unmonitored += 1;
                }
                Some(status) => {
                    let expected = |key: &str| {
                        let time = &timer["ScheduleStatus"][key];
                        epoch_ms(time).filter(|_| !time.as_str().is_some_and(|text| text.starts_with("0001")))
                    };
                    assert_eq!(status.last_ms, expected("Last"), "{id}");
                    assert_eq!(status.next_ms, expected("Next"), "{id}");
                    assert_eq!(status.last_updated_ms, expected("LastUpdated"), "{id}");
                }
            }
            let count = envelope["Metadata"]["RetryContext"]["RetryCount"].as_u64();
            assert_eq!(
                request.retry,
                Retry { count: u32::try_from(count.expect("a count")).expect("small"), max: 2 }
            );
            n_retries += usize::from(request.retry.count > 0);
            n_requests += 1;
        }
    }
    assert!(
        n_requests >= 20 && n_retries >= 8 && n_unmonitored >= 4,
        "{n_requests} {n_retries} {n_unmonitored}"
    );
}

#[test]
fn the_invocation_id_marks_every_request_but_the_probe() {
    let (mut n_requests, mut n_roots) = (0, 0);
    for exchange in recordings::all() {
        for request in exchange.requests() {
            let headers = request["headers"].as_array().expect("headers");
            let has_id = headers.iter().any(|pair| {
                pair[0].as_str().is_some_and(|name| name.eq_ignore_ascii_case(INVOCATION_ID_HEADER))
            });
            let (method, path) =
                (request["method"].as_str().expect("method"), request["path"].as_str().expect("path"));
            assert!(has_id, "{}", exchange.id);
            assert!(!is_readiness_probe(method, path, has_id), "{}", exchange.id);
            n_roots += usize::from(exchange.is_forwarded() && method == "GET" && path == "/");
            n_requests += 1;
        }
    }
    assert!(n_requests > 300, "{n_requests}");
    assert_eq!(n_roots, 1, "a browser's request for the start page is among the recordings");
    assert!(is_readiness_probe("GET", "/", false));
}

#[test]
fn the_wrong_trigger_says_so() {
    let timer = br#"{"Data":{"timer":{"IsPastDue":false}},"Metadata":{}}"#;
    let http = br#"{"Data":{"req":{"Url":"u","Method":"GET"}},"Metadata":{}}"#;
    assert!(TimerRequest::parse(timer, "timer").is_ok());
    assert!(
        TimerRequest::parse(http, "timer").expect_err("no timer").to_string().contains("no input `timer`")
    );
    assert!(HttpRequest::parse(timer, "timer").expect_err("no request").to_string().contains("httpTrigger"));
    assert!(
        EventBatchRequest::parse(timer, "timer").expect_err("no batch").to_string().contains("got an object")
    );
    for body in [&b""[..], b"{", b"[]", b"{}", b"null", b"\xff"] {
        assert!(HttpRequest::parse(body, "req").is_err() && TimerRequest::parse(body, "timer").is_err());
    }
}
