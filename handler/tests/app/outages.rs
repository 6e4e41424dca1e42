//! The store is silent or away: everybody gets an answer, in the handler's own time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use tokio::net::TcpListener;

use crate::{Handler, Reply};

const READS: [&str; 5] =
    ["/api/devices", "/api/summary", "/api/rejects", "/api/devices/d1/readings", "/api/readings?deviceId=d1"];

/// A handler whose store takes connections and says nothing; its own time is short.
struct Silence {
    handler: Handler,
    n_connections: Arc<AtomicUsize>,
}

impl Silence {
    async fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connection =
            format!("AccountEndpoint=http://{}/;AccountKey=a2V5;", listener.local_addr().unwrap());
        let n_connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&n_connections);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                held.push(socket);
            }
        });
        let handler = Handler::new(&[
            ("CosmosDBConnection", &connection),
            ("ALLOW_ANONYMOUS", "true"),
            ("AzureFunctionsJobHost__functionTimeout", "00:00:01"),
        ]);
        Self { handler, n_connections }
    }
}

fn assert_unavailable(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(reply.json()["error"]["message"].as_str().unwrap().contains("stored documents"));
}

#[tokio::test]
async fn a_silent_store_costs_those_who_ask_no_more_than_the_deadline() {
    let silence = Silence::begin().await;
    for path in READS {
        assert_unavailable(&silence.handler.get(path, &[]).await);
    }
    assert!(silence.n_connections.load(Ordering::Relaxed) > 0, "nobody asked the store");
    assert_eq!(silence.handler.get("/", &[]).await.status, 200);
}

#[tokio::test]
async fn a_hundred_who_wait_get_their_answers_together() {
    let silence = Silence::begin().await;
    let asked = (0..100).map(|n| silence.handler.get(if n % 2 == 0 { READS[0] } else { READS[1] }, &[]));
    for reply in join_all(asked).await {
        assert_unavailable(&reply);
    }
    // One read tries a connection and perhaps a few more; a hundred would have tried as many.
    let n_connections = silence.n_connections.load(Ordering::Relaxed);
    assert!(n_connections < 20, "{n_connections} connections for one read");
}

#[tokio::test]
async fn a_store_that_refuses_is_unavailable_and_does_not_stop_the_page() {
    let handler = Handler::new(&[("ALLOW_ANONYMOUS", "true")]);
    for path in READS {
        assert_unavailable(&handler.get(path, &[]).await);
    }
    assert_eq!(handler.get("/", &[]).await.status, 200);
}
