//! The cosmosDB output binding: a list of documents enters, one upsert after another leaves.
//!
//! As in the real extension there is no bulk and no transaction: documents before a failing one stay, those after it are not tried.
//! A service that is away or throttles is met as the real extension's client meets it, by limits seen on a real host.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use thiserror::Error;

use super::account::{Account, Reply, ResourceNames};
use crate::faults::{Condition, CosmosFaults, UpsertOutcome};

/// A client that has worked before tries so long to reach a service that is away.
const WARM_LIMIT: Duration = Duration::from_secs(140);
/// A client that has never worked gives up on a closed port after 1.0 to 1.5 s.
const COLD_LIMIT: Duration = Duration::from_millis(1250);
/// A throttled request is tried again so often,
const THROTTLE_RETRIES: u32 = 9;
/// and only as long as the waits between do not add up to more.
const THROTTLE_WAIT_LIMIT: Duration = Duration::from_secs(30);

/// One document of an output could not be written.
#[derive(Debug, Error)]
#[error("document {index} of {total} for container `{container}`: {reason}")]
pub struct UpsertError {
    /// Position in the output, from 0.
    pub index: usize,
    /// Documents in the output.
    pub total: usize,
    /// Container name.
    pub container: String,
    /// What the account said.
    pub reason: String,
}

/// The client that the binding of one host writes with.
#[derive(Debug)]
pub struct OutputClient {
    account: Arc<Account>,
    faults: Arc<CosmosFaults>,
    /// Whether an upsert has succeeded since the host started.
    warm: AtomicBool,
}

impl OutputClient {
    /// A client that has not been used yet.
    #[must_use]
    pub fn new(account: Arc<Account>, faults: Arc<CosmosFaults>) -> Self {
        Self { account, faults, warm: AtomicBool::new(false) }
    }

    /// Upserts the documents, given as JSON texts, in order and stops at the first failure.
    ///
    /// # Errors
    ///
    /// [`UpsertError`] names the document that was not written.
    pub async fn upsert_all(&self, names: &ResourceNames, documents: &[String]) -> Result<(), UpsertError> {
        for (index, document) in documents.iter().enumerate() {
            self.upsert(names, document).await.map_err(|reason| UpsertError {
                index,
                total: documents.len(),
                container: names.container.clone(),
                reason,
            })?;
        }
        Ok(())
    }

    async fn upsert(&self, names: &ResourceNames, document: &str) -> Result<(), String> {
        match self.faults.upserts.next() {
            None => self.carry_out(names, document).await,
            Some(UpsertOutcome::Fail(status)) => Err(format!("status {status}, as ordered")),
            Some(UpsertOutcome::LoseReply) => {
                self.carry_out(names, document).await?;
                Err("the reply is lost, as ordered".to_owned())
            }
            Some(UpsertOutcome::DelayMs(delay_ms)) => {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                self.carry_out(names, document).await
            }
        }
    }

    async fn carry_out(&self, names: &ResourceNames, document: &str) -> Result<(), String> {
        self.reach().await?;
        self.outwait_throttling().await?;
        let reply = self.account.upsert(names, document).await.map_err(|error| error.to_string())?;
        if reply.succeeded() {
            self.warm.store(true, Ordering::Relaxed);
            return Ok(());
        }
        Err(refusal(&reply))
    }

    /// Waits for a service that is away, as long as the client would try.
    async fn reach(&self) -> Result<(), String> {
        let condition = self.faults.condition.get();
        let limit = match condition {
            Condition::Up => return Ok(()),
            Condition::Refuses if !self.warm.load(Ordering::Relaxed) => COLD_LIMIT,
            Condition::Refuses | Condition::Silent => WARM_LIMIT,
        };
        if self.faults.condition.is_up_within(limit).await {
            return Ok(());
        }
        Err(format!("cosmos db cannot be reached ({condition:?}); given up after {limit:?}"))
    }

    /// Waits as often as the service says that requests are too many, and the client bears it.
    async fn outwait_throttling(&self) -> Result<(), String> {
        let mut waited = Duration::ZERO;
        let mut retries = 0;
        while let Some(retry_after) = self.faults.throttling.retry_after() {
            if retries == THROTTLE_RETRIES || waited + retry_after > THROTTLE_WAIT_LIMIT {
                return Err(format!("status 429: request rate is large, after {retries} retries"));
            }
            tokio::time::sleep(retry_after).await;
            waited += retry_after;
            retries += 1;
        }
        Ok(())
    }
}

fn refusal(reply: &Reply) -> String {
    format!("status {}: {}", reply.status, String::from_utf8_lossy(&reply.body))
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::faults::Throttle;

    struct Place {
        _folder: tempfile::TempDir,
        names: ResourceNames,
        account: Arc<Account>,
        faults: Arc<CosmosFaults>,
        client: Arc<OutputClient>,
    }

    impl Place {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let base = "http://127.0.0.1:1/".parse().unwrap();
            let account = Arc::new(Account::open(base, &folder.path().join("journal")).await.unwrap());
            let names = ResourceNames { database: "d".to_owned(), container: "c".to_owned() };
            account.ensure_container(&names, "/bucket").await.unwrap();
            let faults = Arc::new(CosmosFaults::default());
            let client = Arc::new(OutputClient::new(Arc::clone(&account), Arc::clone(&faults)));
            Self { _folder: folder, names, account, faults, client }
        }

        async fn put(&self, ids: &[&str]) -> Result<(), String> {
            let documents: Vec<String> =
                ids.iter().map(|id| format!(r#"{{"id":"{id}","bucket":"b"}}"#)).collect();
            let end = self.client.upsert_all(&self.names, &documents).await;
            end.map_err(|error| error.to_string())
        }

        async fn is_stored(&self, id: &str) -> bool {
            let reply = self.account.execute(crate::cosmos::Exchange {
                method: azure_core::http::Method::Get,
                path_and_query: format!("/dbs/d/colls/c/docs/{id}"),
                headers: vec![("x-ms-documentdb-partitionkey".to_owned(), "[\"b\"]".to_owned())],
                body: Vec::new(),
            });
            reply.await.unwrap().succeeded()
        }
    }

    /// Seconds of the paused clock that `work` takes.
    async fn seconds<T>(work: impl Future<Output = T>) -> (T, f64) {
        let start = Instant::now();
        let end = work.await;
        (end, start.elapsed().as_secs_f64())
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_client_gives_up_on_a_closed_port_within_two_seconds() {
        let place = Place::new().await;
        place.faults.condition.set(Condition::Refuses);
        let (end, took) = seconds(place.put(&["a", "b"])).await;
        assert!(end.unwrap_err().starts_with("document 0 of 2 for container `c`: cosmos db cannot"));
        assert!((1.0..=1.5).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_used_client_hangs_for_140_seconds() {
        for condition in [Condition::Refuses, Condition::Silent] {
            let place = Place::new().await;
            place.put(&["a"]).await.unwrap();
            place.faults.condition.set(condition);
            let (end, took) = seconds(place.put(&["b", "c"])).await;
            assert!(end.unwrap_err().starts_with("document 0 of 2"));
            assert!((139.9..140.1).contains(&took), "{took}");
            place.faults.condition.set(Condition::Up);
            assert!(!place.is_stored("b").await && !place.is_stored("c").await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_succeeds_when_the_service_is_back_in_time() {
        let place = Place::new().await;
        place.put(&["a"]).await.unwrap();
        place.faults.condition.set(Condition::Refuses);
        let faults = Arc::clone(&place.faults);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(100)).await;
            faults.condition.set(Condition::Up);
        });
        let (end, took) = seconds(place.put(&["b", "c"])).await;
        end.unwrap();
        assert!((99.9..100.1).contains(&took), "{took}");
        assert!(place.is_stored("b").await && place.is_stored("c").await);
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_is_outwaited_nine_times_or_thirty_seconds() {
        let place = Place::new().await;
        for (retry_after_ms, expected) in [(1000, 9.0), (8000, 24.0), (31_000, 0.0)] {
            place.faults.throttling.set(Some(Throttle { share: 1.0, retry_after_ms, seed: 0 }));
            let (end, took) = seconds(place.put(&["a"])).await;
            assert!(end.unwrap_err().contains("status 429"));
            assert!((took - expected).abs() < 0.1, "{took} instead of {expected}");
        }
        place.faults.throttling.set(Some(Throttle { share: 0.5, retry_after_ms: 1000, seed: 1 }));
        for id in ["a", "b", "c", "d"] {
            place.put(&[id]).await.unwrap();
        }
    }
}
