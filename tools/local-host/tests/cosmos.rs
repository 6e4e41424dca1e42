//! The local Cosmos DB account as the real Rust client sees it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use azure_core::credentials::Secret;
use azure_data_cosmos::clients::ContainerClient;
use azure_data_cosmos::options::{MaxItemCountHint, QueryOptions};
use azure_data_cosmos::{AccountEndpoint, AccountReference, CosmosClient, FeedScope, Query, RoutingStrategy};
use futures::TryStreamExt;
use local_host::cosmos::{Account, OutputClient, ResourceNames, router};
use local_host::faults::CosmosFaults;
use serde_json::{Value, json};

struct Local {
    account: Arc<Account>,
    endpoint: String,
    names: ResourceNames,
}

async fn start(journal: &Path) -> Local {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let account = Arc::new(Account::open(endpoint.parse().unwrap(), journal).await.unwrap());
    let names = ResourceNames { database: "AnomalyDB".into(), container: "Results".into() };
    account.ensure_container(&names, "/bucket").await.unwrap();
    let routes = router(Arc::clone(&account), Arc::default());
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    Local { account, endpoint, names }
}

impl Local {
    async fn put(&self, documents: &[Value]) -> Result<(), String> {
        let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
        let client = OutputClient::new(Arc::clone(&self.account), Arc::new(CosmosFaults::default()));
        client.upsert_all(&self.names, &texts).await.map_err(|error| error.to_string())
    }

    async fn connect(&self) -> ContainerClient {
        let endpoint: AccountEndpoint = self.endpoint.parse().unwrap();
        let account = AccountReference::with_authentication_key(endpoint, Secret::new("bG9jYWw="));
        let routing = RoutingStrategy::ProximityTo("Local".into());
        let client = CosmosClient::builder().build(account, routing).await.unwrap();
        client.database_client("AnomalyDB").container_client("Results", None).await.unwrap()
    }
}

async fn ids(container: &ContainerClient, query: &str, scope: FeedScope) -> Vec<String> {
    let query = Query::from(query)
        .with_parameter("@id", "d1")
        .and_then(|query| query.with_parameter("@from", 20))
        .and_then(|query| query.with_parameter("@list", vec!["r-01", "r-02"]))
        .unwrap();
    let rows = container.query_items::<Value>(query, scope, None).await.unwrap();
    let rows: Vec<Value> = rows.try_collect().await.unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn documents() -> Vec<Value> {
    (0..12)
        .map(|number| {
            let kind = if number % 4 == 0 { "alert" } else { "results" };
            json!({ "id": format!("r-{number:02}"), "type": kind, "bucket": format!("l.0.{}", number % 3),
                "position": number * 10, "readings": { format!("d{}", number % 2): [[number, 2.5]] } })
        })
        .collect()
}

#[tokio::test]
async fn the_queries_that_functions_need_work_in_one_bucket_and_across() {
    let folder = tempfile::tempdir().unwrap();
    let local = start(&folder.path().join("journal")).await;
    local.put(&documents()).await.unwrap();
    let container = local.connect().await;
    let all = FeedScope::full_container;
    for (query, expected) in [
        ("SELECT * FROM c WHERE c.type = 'alert' ORDER BY c.position DESC", "r-08 r-04 r-00"),
        (
            "SELECT c.id FROM c WHERE c.position >= @from AND c.position < 50 ORDER BY c.position",
            "r-02 r-03 r-04",
        ),
        (
            "SELECT c.id, c.readings[@id] AS readings FROM c WHERE IS_DEFINED(c.readings[@id]) AND c.type != 'alert' ORDER BY c.id",
            "r-01 r-03 r-05 r-07 r-09 r-11",
        ),
        ("SELECT TOP 2 c.id FROM c ORDER BY c.id DESC", "r-11 r-10"),
        ("SELECT c.id FROM c ORDER BY c.id OFFSET 3 LIMIT 2", "r-03 r-04"),
        ("SELECT c.id FROM c WHERE STARTSWITH(c.id, 'r-1') ORDER BY c.id", "r-10 r-11"),
        ("SELECT c.id FROM c WHERE ARRAY_CONTAINS(@list, c.id) ORDER BY c.id", "r-01 r-02"),
        (
            "SELECT c.id FROM c WHERE c.type IN ('alert', 'x') OR c.position = 110 ORDER BY c.id",
            "r-00 r-04 r-08 r-11",
        ),
    ] {
        assert_eq!(ids(&container, query, all()).await.join(" "), expected, "{query}");
    }
    let one = ids(&container, "SELECT c.id FROM c ORDER BY c.id", FeedScope::partition("l.0.1")).await;
    assert_eq!(one, ["r-01", "r-04", "r-07", "r-10"]);
}

#[tokio::test]
async fn pages_hold_every_document_once() {
    let folder = tempfile::tempdir().unwrap();
    let local = start(&folder.path().join("journal")).await;
    local.put(&documents()).await.unwrap();
    let container = local.connect().await;
    let options =
        QueryOptions::default().with_max_item_count(MaxItemCountHint::Limit(NonZeroU32::new(2).unwrap()));
    let rows = container.query_items::<Value>(
        Query::from("SELECT c.id FROM c"),
        FeedScope::full_container(),
        Some(options),
    );
    let mut pages = rows.await.unwrap().into_pages();
    let mut seen = Vec::new();
    while let Some(page) = pages.try_next().await.unwrap() {
        assert!(page.items().len() <= 2);
        seen.extend(page.items().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
    }
    seen.sort();
    assert_eq!(seen.len(), 12);
    seen.dedup();
    assert_eq!(seen.len(), 12);
}

#[tokio::test]
async fn what_the_client_writes_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    {
        let local = start(&journal).await;
        let container = local.connect().await;
        for number in 0..3 {
            let id = format!("i{number}");
            container
                .upsert_item("b", &id, &json!({ "id": id, "bucket": "b", "v": number }), None)
                .await
                .unwrap();
        }
        container.upsert_item("b", "i0", &json!({ "id": "i0", "bucket": "b", "v": 7 }), None).await.unwrap();
        assert!(container.create_item("b", "i1", &json!({ "id": "i1", "bucket": "b" }), None).await.is_err());
        container.delete_item("b", "i2", None).await.unwrap();
    }
    let local = start(&journal).await;
    let container = local.connect().await;
    assert_eq!(
        ids(&container, "SELECT * FROM c WHERE c.v >= 0 ORDER BY c.v", FeedScope::full_container()).await,
        ["i1", "i0"]
    );
    assert!(container.read_item("b", "i2", None).await.is_err());
    assert!(container.read_item("b", "i0", None).await.is_ok());
}

#[tokio::test]
async fn an_output_stops_at_the_document_that_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let local = start(&folder.path().join("journal")).await;
    let documents = [
        json!({ "id": "a", "bucket": "b" }),
        json!({ "id": "without-bucket" }),
        json!({ "bucket": "b" }),
        json!({ "id": "c", "bucket": "b" }),
    ];
    let error = local.put(&documents).await.unwrap_err();
    assert!(error.starts_with("document 2 of 4 for container `Results`"), "{error}");
    let container = local.connect().await;
    let stored = ids(&container, "SELECT c.id FROM c ORDER BY c.id", FeedScope::full_container()).await;
    assert_eq!(stored, ["a", "without-bucket"]);
}
