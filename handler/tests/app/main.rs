//! The whole handler but its socket: requests as the host sends them, through the real router and the real model.

#![cfg(test)]
#![recursion_limit = "256"] // As in the library: some functions are called past the router.

mod acknowledge_alert;
mod announce_act;
mod corpus;
mod cosmos;
mod documented;
mod envelope;
mod find_readings;
mod forwarded;
mod get_summary;
mod list_alerts;
mod list_devices;
mod list_mutes;
mod list_readings;
mod list_rejects;
#[expect(dead_code, reason = "the model of the host, which shares it, also has it fail")]
mod memory;
mod mute_devices;
mod negotiate;
mod outages;
mod poison;
mod process;
#[path = "../../../fuzz/checks/parameters.rs"]
mod queries;
mod score_telemetry;
mod script_root;
mod send_alerts;
mod serve_dashboard;
#[path = "../../../fuzz/checks/state.rs"]
mod state;
mod unmute_devices;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use handler::app::App;
use handler::router::router;
use handler::scoring::Storage;
use handler::scoring::stored::StoredFacts;
use handler::settings::Settings;
use handler::store::Store;
// Names by which the fuzzer's checks know the modules that read queries.
use handler::{parameters, rejects as place, reply};
use http_body_util::BodyExt;
use memory::Container;
use serde_json::Value;
use tower::ServiceExt;

/// The handler with settings of a test's own; its store is an address where nobody answers.
struct Handler {
    router: Router,
    app: Arc<App>,
    /// What was answered to be stored, as the host's binding would have stored it.
    container: Arc<Container>,
    _script_root: tempfile::TempDir,
}

struct Reply {
    status: u16,
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Handler {
    fn new(settings: &[(&str, &str)]) -> Self {
        let script_root = script_root::with_model();
        let mut variables: HashMap<String, String> = HashMap::from([
            ("FUNCTIONS_APP_ROOT_PATH".to_owned(), script_root.path().to_string_lossy().into_owned()),
            (
                "CosmosDBConnection".to_owned(),
                "AccountEndpoint=http://127.0.0.1:1/;AccountKey=a2V5;".to_owned(),
            ),
            ("BUCKETS_PER_PARTITION".to_owned(), "1".to_owned()),
            ("AzureFunctionsJobHost__functionTimeout".to_owned(), "00:01:00".to_owned()),
        ]);
        variables.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let settings = Settings::read(&|name| variables.get(name).cloned()).unwrap();
        let store = Arc::new(Store::new(settings.cosmos.clone(), settings.deadline));
        let container = Arc::<Container>::default();
        let facts: Arc<dyn StoredFacts> = Arc::<Container>::clone(&container);
        let app = App::build_on(settings, store, Storage { facts, snapshots: None, journals: None }).unwrap();
        let app = Arc::new(app);
        Self { router: router(Arc::clone(&app)), app, container, _script_root: script_root }
    }

    /// A handler for everybody that reads the documents of a store.
    fn reading(cosmos: &cosmos::Cosmos) -> Self {
        Self::new(&[("CosmosDBConnection", &cosmos.connection()), ("ALLOW_ANONYMOUS", "true")])
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    /// An invocation, enveloped, whose outputs are carried out.
    async fn invoke(&self, function: &str, body: Vec<u8>) -> Reply {
        let reply = self.attempt(function, body).await;
        if let Ok(answer) = serde_json::from_slice::<Value>(&reply.body) {
            for document in answer["Outputs"]["documents"].as_array().into_iter().flatten() {
                self.container.upsert(document.clone());
            }
        }
        reply
    }

    /// An invocation, enveloped, whose outputs come to nothing.
    async fn attempt(&self, function: &str, body: Vec<u8>) -> Reply {
        let request = Request::post(format!("/{function}"))
            .header("Content-Type", "application/json; charset=utf-8")
            .header("X-Azure-Functions-InvocationId", "5d2b0b0e-6d0c-4bb1-9b7e-0a9c2f6f2c11");
        self.send(request.body(body.into()).unwrap()).await
    }

    /// A caller's request, forwarded.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::get(path).header("X-Azure-Functions-InvocationId", "5d2b0b0e");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }
}

/// An enveloped POST as the host sends it, with another body and headers besides.
fn post(body: &Value, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut envelope: Value =
        serde_json::from_slice(&recorded_body("http_enveloped.jsonl", "http-envelope-post-json")).unwrap();
    let request = &mut envelope["Data"]["req"];
    request["Body"] = body.to_string().into();
    for (name, value) in headers {
        request["Headers"][*name] = serde_json::json!([value]);
    }
    envelope.to_string().into_bytes()
}

/// What the caller of an enveloped function gets: status and body.
fn response(answer: &Value) -> (u64, Value) {
    let response = &answer["Outputs"]["res"];
    let body = response["body"].as_str().unwrap_or_else(|| panic!("no response: {answer}"));
    (response["statusCode"].as_u64().unwrap(), serde_json::from_str(body).unwrap())
}

/// The recorded exchange of this id.
fn recorded(file: &str, id: &str) -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/wire/fixtures/host-exchanges").join(file);
    let lines = std::fs::read_to_string(path).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|exchange| exchange["id"] == id)
        .unwrap_or_else(|| panic!("no exchange {id}"))
}

/// The first request body of a recorded exchange.
fn recorded_body(file: &str, id: &str) -> Vec<u8> {
    recorded(file, id)["requests"][0]["body"].as_str().unwrap().as_bytes().to_vec()
}
