//! One emulated account: requests of the Cosmos DB REST protocol enter, its answers leave; every successful write is journaled before it is answered.
//!
//! Writes are serialized, so the journal has the order in which the emulator applied them.

use std::path::Path;

use azure_core::http::headers::{HeaderName, HeaderValue};
use azure_core::http::{Method, Request, Url};
use azure_data_cosmos_driver::in_memory_emulator::{
    ConsistencyLevel, InMemoryEmulatorHttpClient, VirtualAccountConfig, VirtualRegion,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::Mutex;

use super::journal::{Entry, Journal, JournalError};
use super::write::{Write, wants_no_content, with_text_content};

const PARTITION_KEY: &str = "x-ms-documentdb-partitionkey";
const IS_UPSERT: &str = "x-ms-documentdb-is-upsert";

/// Why the account could not be opened or a request not be carried out at all.
#[derive(Debug, Error)]
pub enum AccountError {
    /// The emulator refused to route the request or to start.
    #[error("cosmos emulator: {0}")]
    Emulator(String),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A database or container could not be created.
    #[error("cannot create `{what}` in the local account: status {status}: {body}")]
    Create {
        /// Database or container path.
        what: String,
        /// The emulator's status.
        status: u16,
        /// The emulator's answer.
        body: String,
    },
}

/// A request of the Cosmos DB REST protocol, addressed to this account.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// HTTP method.
    pub method: Method,
    /// Path and query as they arrived, still percent-encoded.
    pub path_and_query: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// Body, possibly Cosmos binary JSON.
    pub body: Vec<u8>,
}

/// The answer to an [`Exchange`].
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers in lower case, request charge and activity id among them.
    pub headers: Vec<(String, String)>,
    /// Body, empty if the client asked for none.
    pub body: Vec<u8>,
}

impl Reply {
    /// Whether the status is of the 2xx class.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Names of a database and one of its containers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceNames {
    /// Database name.
    pub database: String,
    /// Container name.
    pub container: String,
}

impl ResourceNames {
    fn documents_path(&self) -> String {
        format!("/dbs/{}/colls/{}/docs", encode(&self.database), encode(&self.container))
    }
}

/// The emulated account with its journal.
#[derive(Debug)]
pub struct Account {
    emulator: InMemoryEmulatorHttpClient,
    base: Url,
    journal: Mutex<Journal>,
}

impl Account {
    /// Opens an account that tells its clients to come to `base`, and fills it from the journal at `journal`.
    ///
    /// # Errors
    ///
    /// [`AccountError`] when the emulator refuses `base` or the journal cannot be read.
    pub async fn open(base: Url, journal: &Path) -> Result<Self, AccountError> {
        let region = VirtualRegion::new("Local", base.clone());
        let config = VirtualAccountConfig::new(vec![region])
            .map_err(|error| AccountError::Emulator(error.to_string()))?
            .with_account_id("local")
            .with_consistency(ConsistencyLevel::Strong);
        let emulator = InMemoryEmulatorHttpClient::try_new(config)
            .map_err(|error| AccountError::Emulator(error.to_string()))?;
        let (journal, entries) = Journal::open(journal)?;
        let account = Self { emulator, base, journal: Mutex::new(journal) };
        for entry in entries {
            account.replay(entry).await?;
        }
        Ok(account)
    }

    /// Creates the database and the container, partitioned by `partition_key_path`, unless they exist.
    ///
    /// # Errors
    ///
    /// [`AccountError::Create`] when the emulator refuses one of them.
    pub async fn ensure_container(
        &self,
        names: &ResourceNames,
        partition_key_path: &str,
    ) -> Result<(), AccountError> {
        self.ensure("/dbs".to_owned(), &json!({ "id": names.database })).await?;
        let definition = json!({
            "id": names.container,
            "partitionKey": { "paths": [partition_key_path], "kind": "Hash", "version": 2 },
            "defaultTtl": -1,
        });
        let path = format!("/dbs/{}/colls", encode(&names.database));
        if self.ensure(path, &definition).await? {
            let entry =
                Entry::Container { names: names.clone(), partition_key_path: partition_key_path.to_owned() };
            self.journal.lock().await.append(&entry)?;
        }
        Ok(())
    }

    /// Upserts one document, taking the partition key's value from the document itself.
    ///
    /// # Errors
    ///
    /// [`AccountError`] when the request could not be carried out; a refusal by the service is a [`Reply`].
    pub async fn upsert(&self, names: &ResourceNames, document: &str) -> Result<Reply, AccountError> {
        self.execute(Exchange {
            method: Method::Post,
            path_and_query: names.documents_path(),
            headers: vec![(IS_UPSERT.to_owned(), "true".to_owned())],
            body: document.as_bytes().to_vec(),
        })
        .await
    }

    /// Carries out one request; a write is in the journal when this returns.
    ///
    /// # Errors
    ///
    /// [`AccountError`] when the emulator cannot route the request or the journal cannot be written.
    pub async fn execute(&self, exchange: Exchange) -> Result<Reply, AccountError> {
        let Some(write) = Write::of(&exchange) else { return self.dispatch(exchange).await };
        let wants_no_content = wants_no_content(&exchange);
        let mut journal = self.journal.lock().await;
        let mut reply = self.dispatch(with_text_content(exchange)).await?;
        if reply.succeeded() {
            for entry in write.entries(&reply.body) {
                journal.append(&entry)?;
            }
            // A batch's answer is its result list, which its client always needs.
            if wants_no_content && !matches!(write, Write::Batch { .. }) {
                reply.body.clear();
            }
        }
        Ok(reply)
    }

    async fn ensure(&self, path: String, definition: &Value) -> Result<bool, AccountError> {
        let exchange = Exchange {
            method: Method::Post,
            path_and_query: path.clone(),
            headers: Vec::new(),
            body: definition.to_string().into_bytes(),
        };
        let reply = self.dispatch(exchange).await?;
        match reply.status {
            201 => Ok(true),
            409 => Ok(false),
            status => Err(AccountError::Create {
                what: format!("{path}: {}", definition["id"]),
                status,
                body: String::from_utf8_lossy(&reply.body).into_owned(),
            }),
        }
    }

    async fn replay(&self, entry: Entry) -> Result<(), AccountError> {
        match entry {
            Entry::Container { names, partition_key_path } => {
                self.ensure("/dbs".to_owned(), &json!({ "id": names.database })).await?;
                let definition = json!({
                    "id": names.container,
                    "partitionKey": { "paths": [partition_key_path], "kind": "Hash", "version": 2 },
                    "defaultTtl": -1,
                });
                self.ensure(format!("/dbs/{}/colls", encode(&names.database)), &definition).await?;
            }
            Entry::Put { names, document } => {
                self.dispatch(Exchange {
                    method: Method::Post,
                    path_and_query: names.documents_path(),
                    headers: vec![(IS_UPSERT.to_owned(), "true".to_owned())],
                    body: document.to_string().into_bytes(),
                })
                .await?;
            }
            Entry::Delete { names, partition_key, id } => {
                self.dispatch(Exchange {
                    method: Method::Delete,
                    path_and_query: format!("{}/{}", names.documents_path(), encode(&id)),
                    headers: vec![(PARTITION_KEY.to_owned(), partition_key)],
                    body: Vec::new(),
                })
                .await?;
            }
        }
        Ok(())
    }

    async fn dispatch(&self, exchange: Exchange) -> Result<Reply, AccountError> {
        let url = self
            .base
            .join(&exchange.path_and_query)
            .map_err(|error| AccountError::Emulator(format!("bad path: {error}")))?;
        let mut request = Request::new(url, exchange.method);
        for (name, value) in exchange.headers {
            request.headers_mut().insert(HeaderName::from(name), HeaderValue::from(value));
        }
        request.set_body(exchange.body);
        let response = self
            .emulator
            .execute_request(&request)
            .await
            .map_err(|error| AccountError::Emulator(error.to_string()))?
            .try_into_raw_response()
            .await
            .map_err(|error| AccountError::Emulator(error.to_string()))?;
        let body: &[u8] = response.body().as_ref();
        Ok(Reply {
            status: u16::from(response.status()),
            headers: response
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()))
                .collect(),
            body: body.to_vec(),
        })
    }
}

fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string()
}
