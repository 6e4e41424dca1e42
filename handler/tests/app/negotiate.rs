//! Connections for those who may look.

use crate::{Handler, recorded_body};

fn call(headers: &str) -> Vec<u8> {
    let body = String::from_utf8(recorded_body("http_enveloped.jsonl", "negotiate-user-id-present")).unwrap();
    body.replacen(r#""x-ms-client-principal-id":["u1"]"#, headers, 1).into_bytes()
}

#[tokio::test]
async fn hands_on_address_and_token() {
    let handler = Handler::new(&[("ALLOW_ANONYMOUS", "true")]);
    let answer = handler.invoke("negotiate", call(r#""Accept":["*/*"]"#)).await.json();
    let response = &answer["Outputs"]["res"];
    assert_eq!(response["statusCode"], 200);
    assert_eq!(response["headers"]["Content-Type"], "application/json");
    let body: serde_json::Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["url"], "http://localhost:8888/client/?hub=telemetry");
    assert!(body["accessToken"].as_str().unwrap().starts_with("eyJ"));
}

#[tokio::test]
async fn refuses_who_shows_nothing_or_something_forged() {
    let handler = Handler::new(&[("API_KEY", "right")]);
    for (headers, status) in [
        (r#""Accept":["*/*"]"#, 401),
        (r#""x-ms-client-principal-id":["u1"]"#, 401),
        (r#""X-Api-Key":["wrong"]"#, 401),
        (r#""X-Api-Key":["right"]"#, 200),
    ] {
        let answer = handler.invoke("negotiate", call(headers)).await.json();
        assert_eq!(answer["Outputs"]["res"]["statusCode"], status, "{headers}");
        assert_eq!(answer.to_string().contains("accessToken"), status == 200, "{headers}");
    }
}

#[tokio::test]
async fn a_request_without_connection_is_an_error_with_a_body() {
    let handler = Handler::new(&[("ALLOW_ANONYMOUS", "true")]);
    let body = String::from_utf8(call("\"a\":[]")).unwrap().replace("connectionInfo", "other");
    let answer = handler.invoke("negotiate", body.into_bytes()).await.json();
    assert_eq!(answer["Outputs"]["res"]["statusCode"], 500);
}
