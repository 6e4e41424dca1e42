//! The local Cosmos DB account as the real Rust client sees it.

use std::sync::Arc;

use azure_core::credentials::Secret;
use azure_data_cosmos::clients::ContainerClient;
use azure_data_cosmos::options::{MaxItemCountHint, QueryOptions};
use azure_data_cosmos::{
    AccountEndpoint, AccountReference, CosmosClient, FeedScope, Query, RoutingStrategy,
};
use futures::TryStreamExt;
use local_host::cosmos::{Account, ResourceNames, router, upsert_all};
use serde_json::{Value, json};

const KEY: &str = "bG9jYWw=";

struct Local {
    account: Arc<Account>,
    endpoint: String,
    names: ResourceNames,
}

async fn start(journal: &std::path::Path) -> Local {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let account = Arc::new(Account::open(endpoint.parse().unwrap(), journal).await.unwrap());
    let names = ResourceNames { database: "AnomalyDB".into(), container: "Results".into() };
    account.ensure_container(&names, "/bucket").await.unwrap();
    let routes = router(Arc::clone(&account));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    Local { account, endpoint, names }
}

async fn connect(endpoint: &str) -> ContainerClient {
    let endpoint: AccountEndpoint = endpoint.parse().unwrap();
    let account = AccountReference::with_authentication_key(endpoint, Secret::new(KEY));
    let client =
        CosmosClient::builder().build(account, RoutingStrategy::ProximityTo("Local".into())).await.unwrap();
    client.database_client("AnomalyDB").container_client("Results", None).await.unwrap()
}

async fn rows(container: &ContainerClient, query: Query, scope: FeedScope) -> Result<Vec<Value>, String> {
    container
        .query_items::<Value>(query, scope, None)
        .await
        .map_err(|error| error.to_string())?
        .try_collect::<Vec<Value>>()
        .await
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn explore() {
    let folder = tempfile::tempdir().unwrap();
    let local = start(&folder.path().join("j")).await;
    let docs: Vec<Value> = (0..40)
        .map(|i| json!({"id": format!("r-{i:03}"), "type": if i % 4 == 0 {"alert"} else {"results"}, "bucket": format!("l.0.{}", i % 8), "from": i * 10, "to": i * 10 + 9, "term": 1,
            "readings": {"d1": [[i, 2.5]], format!("d{}", i % 8): [[1,2]]}, "tags": ["a", "b"], "f": 3.0}))
        .collect();
    upsert_all(&local.account, &local.names, &docs.iter().map(Value::to_string).collect::<Vec<_>>()).await.unwrap();
    let container = connect(&local.endpoint).await;
    for (scope_name, scope) in [("partition", FeedScope::partition("l.0.1")), ("all", FeedScope::full_container())] {
        for sql in [
            "SELECT * FROM c",
            "SELECT c.id, c.from FROM c WHERE c.type = @t AND c.to >= @from AND c.from <= @to",
            "SELECT c.id FROM c WHERE c.type = @t OR c.from < 20",
            "SELECT c.id FROM c WHERE c.type IN ('alert', @t)",
            "SELECT c.id FROM c WHERE ARRAY_CONTAINS(@ids, c.id)",
            "SELECT c.id FROM c WHERE ARRAY_CONTAINS(c.tags, 'a')",
            "SELECT c.id FROM c WHERE STARTSWITH(c.id, 'r-01')",
            "SELECT c.id FROM c WHERE c.id LIKE 'r-01%'",
            "SELECT c.id FROM c WHERE IS_DEFINED(c.readings.d1)",
            "SELECT c.id FROM c WHERE IS_DEFINED(c.readings[@id])",
            "SELECT c.id, c.readings[@id] AS rows FROM c WHERE IS_DEFINED(c.readings[@id])",
            "SELECT c.readings['d1'] FROM c",
            "SELECT c.id FROM c WHERE NOT (c.type = 'alert')",
            "SELECT c.id FROM c WHERE c.from BETWEEN 10 AND 30",
            "SELECT c.id FROM c ORDER BY c.from DESC",
            "SELECT * FROM c ORDER BY c.to",
            "SELECT c.id FROM c WHERE c.from > 3 ORDER BY c.bucket ASC, c.from DESC",
            "SELECT TOP 3 c.id FROM c ORDER BY c.from DESC",
            "SELECT TOP 3 c.id FROM c",
            "SELECT c.id FROM c ORDER BY c.from OFFSET 2 LIMIT 3",
            "SELECT c.id FROM c OFFSET 2 LIMIT 3",
            "SELECT VALUE c.id FROM c",
            "SELECT VALUE COUNT(1) FROM c",
            "SELECT VALUE MAX(c.to) FROM c",
            "SELECT DISTINCT VALUE c.type FROM c",
            "SELECT DISTINCT c.bucket FROM c",
            "SELECT c.type, COUNT(1) AS n FROM c GROUP BY c.type",
            "SELECT c.id FROM c JOIN t IN c.tags WHERE t = 'a'",
            "SELECT c.id FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = 'b')",
            "SELECT c.id, c._ts FROM c WHERE c._ts > 0",
            "SELECT c.id ?? 'x' AS i, c.from * 2 AS d, c.from > 5 ? 'y' : 'n' AS e FROM c",
            "SELECT c.id FROM c WHERE c.bucket = 'l.0.2' AND c.from > 3",
            "SELECT c.id FROM c WHERE c.bucket IN ('l.0.2', 'l.0.3')",
            "SELECT {\"a\": c.id, \"b\": [c.from]} AS o FROM c",
            "SELECT c.id FROM c WHERE LOWER(c.type) = 'alert'",
            "SELECT c.id FROM c WHERE c.missing = null",
            "SELECT c.id FROM c WHERE ARRAY_LENGTH(c.tags) = 2",
        ] {
            let query = Query::from(sql).with_parameter("@t", "alert").unwrap().with_parameter("@from", 20).unwrap()
                .with_parameter("@to", 300).unwrap().with_parameter("@id", "d1").unwrap().with_parameter("@ids", vec!["r-001", "r-002"]).unwrap();
            match rows(&container, query, scope.clone()).await {
                Ok(rows) => println!("OK  {scope_name:9} {sql} -> {} {}", rows.len(), rows.first().map(|r| r.to_string().chars().take(100).collect::<String>()).unwrap_or_default()),
                Err(error) => println!("ERR {scope_name:9} {sql} -> {}", error.chars().take(200).collect::<String>()),
            }
        }
    }
    let item = container.read_item("l.0.1", "r-001", None).await.unwrap();
    println!("{item:?}");
    println!("{:?}", container.read_item("l.0.1", "nope", None).await.map(|_| ()).map_err(|e| e.to_string()));
    let mut pages = container.query_items::<Value>(Query::from("SELECT c.id FROM c"), FeedScope::full_container(), Some(QueryOptions::default().with_max_item_count(MaxItemCountHint::Limit(std::num::NonZeroU32::new(7).unwrap())))).await.unwrap().into_pages();
    while let Some(page) = pages.try_next().await.unwrap() {
        println!("page {}", page.items().len());
    }
}
