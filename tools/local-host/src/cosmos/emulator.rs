//! The Rust SDK's in-memory emulator behind the REST protocol: requests enter, its answers leave; nothing is kept on disk here.

use azure_core::http::headers::{HeaderName, HeaderValue};
use azure_core::http::{Method, Request, Url};
use azure_data_cosmos_driver::in_memory_emulator::{
    ConsistencyLevel, InMemoryEmulatorHttpClient, VirtualAccountConfig, VirtualRegion,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::account::{AccountError, Exchange, Reply, ResourceNames};
use super::journal::Entry;

const PARTITION_KEY: &str = "x-ms-documentdb-partitionkey";
const IS_UPSERT: &str = "x-ms-documentdb-is-upsert";

/// One emulated account without memory of its own.
#[derive(Debug)]
pub(super) struct Emulator {
    client: InMemoryEmulatorHttpClient,
    base: Url,
}

impl Emulator {
    /// An empty account that tells its clients to come to `base`.
    pub(super) fn new(base: Url) -> Result<Self, AccountError> {
        let config = VirtualAccountConfig::new(vec![VirtualRegion::new("Local", base.clone())])
            .map_err(|error| AccountError::Emulator(error.to_string()))?
            .with_account_id("local")
            .with_consistency(ConsistencyLevel::Strong);
        let client = InMemoryEmulatorHttpClient::try_new(config)
            .map_err(|error| AccountError::Emulator(error.to_string()))?;
        Ok(Self { client, base })
    }

    /// Where its clients come to.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// Creates a container and its database unless they exist; says whether the container was created.
    pub(super) async fn ensure_container(
        &self,
        names: &ResourceNames,
        partition_key_path: &str,
    ) -> Result<bool, AccountError> {
        self.ensure("/dbs".to_owned(), &json!({ "id": names.database })).await?;
        let definition = json!({
            "id": names.container,
            "partitionKey": { "paths": [partition_key_path], "kind": "Hash", "version": 2 },
            "defaultTtl": -1,
        });
        self.ensure(format!("/dbs/{}/colls", encode(&names.database)), &definition).await
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

    /// Makes a change of the journal again.
    pub(super) async fn apply(&self, entry: &Entry) -> Result<(), AccountError> {
        match entry {
            Entry::Container { names, partition_key_path } => {
                self.ensure_container(names, partition_key_path).await?;
            }
            Entry::Put { names, document, .. } => {
                self.dispatch(upsert(names, document.to_string().into_bytes())).await?;
            }
            Entry::Delete { names, partition_key, id } => {
                self.dispatch(Exchange {
                    method: Method::Delete,
                    path_and_query: format!("{}/{}", documents_path(names), encode(id)),
                    headers: vec![(PARTITION_KEY.to_owned(), partition_key.clone())],
                    body: Vec::new(),
                })
                .await?;
            }
        }
        Ok(())
    }

    /// Carries out one request.
    pub(super) async fn dispatch(&self, exchange: Exchange) -> Result<Reply, AccountError> {
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
            .client
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

/// The request of an upsert; the partition key's value is taken from the document.
pub(super) fn upsert(names: &ResourceNames, document: Vec<u8>) -> Exchange {
    Exchange {
        method: Method::Post,
        path_and_query: documents_path(names),
        headers: vec![(IS_UPSERT.to_owned(), "true".to_owned())],
        body: document,
    }
}

fn documents_path(names: &ResourceNames) -> String {
    format!("/dbs/{}/colls/{}/docs", encode(&names.database), encode(&names.container))
}

fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string()
}
