//! Reads the documents that the host's binding wrote.
//!
//! The client is made at the first read, because making it talks to the service; a service that is away then costs
//! that read and no start.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::{Secret, TokenCredential};
use azure_data_cosmos::clients::ContainerClient;
use azure_data_cosmos::{AccountEndpoint, AccountReference, CosmosClient, FeedScope, Query, RoutingStrategy};
use azure_identity::{
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use futures::TryStreamExt;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::sync::OnceCell;
use wire::documents::{DevicesDocument, Header, ReadingRow, ResultsDocument};

use crate::settings::{CosmosCredential, CosmosSettings};

/// Database of all documents.
const DATABASE: &str = "AnomalyDB";
/// Container of all documents.
const CONTAINER: &str = "Results";
/// Documents that one question may bring back: beyond it the answer would not fit in memory for many at once.
const MAX_DOCUMENTS: usize = 20_000;

/// Reads database `AnomalyDB`, container `Results`.
pub struct Store {
    settings: CosmosSettings,
    deadline: Duration,
    container: OnceCell<ContainerClient>,
}

/// Why documents could not be read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The account's settings cannot be used.
    #[error("Cosmos DB cannot be reached: {0}")]
    Client(String),
    /// The service refused, or is away.
    #[error("Cosmos DB query failed: {0}")]
    Query(String),
    /// It took too long.
    #[error("Cosmos DB did not answer within {0:?}")]
    Deadline(Duration),
    /// There is more than one answer may hold.
    #[error("the question needs more than {MAX_DOCUMENTS} documents; ask for a shorter time")]
    TooMuch,
}

/// One device's part of a results document.
#[derive(Debug, Deserialize)]
struct DevicePart {
    #[serde(flatten)]
    header: Header,
    from: i64,
    to: i64,
    columns: Vec<String>,
    rows: Option<Vec<ReadingRow>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Store {
    /// Prepares to read; nothing is contacted yet.
    #[must_use]
    pub fn new(settings: CosmosSettings, deadline: Duration) -> Self {
        Self { settings, deadline, container: OnceCell::new() }
    }

    /// The tables of devices, of all buckets.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn device_tables(&self) -> Result<Vec<DevicesDocument>, StoreError> {
        self.query(Query::from("SELECT * FROM c WHERE c.type = 'devices'"), FeedScope::full_container()).await
    }

    /// The tables of devices of one bucket.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn device_tables_of(&self, bucket: &str) -> Result<Vec<DevicesDocument>, StoreError> {
        let query = Query::from("SELECT * FROM c WHERE c.type = 'devices'");
        self.query(query, FeedScope::partition(bucket.to_owned())).await
    }

    /// The buckets whose tables list a device.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn buckets_of(&self, device_id: &str) -> Result<Vec<String>, StoreError> {
        let query = Query::from(
            "SELECT VALUE c.bucket FROM c WHERE c.type = 'devices' AND IS_DEFINED(c.devices[@id])",
        );
        let query =
            query.with_parameter("@id", device_id).map_err(|error| StoreError::Query(error.to_string()))?;
        let mut buckets: Vec<String> = self.query(query, FeedScope::full_container()).await?;
        buckets.sort();
        buckets.dedup();
        Ok(buckets)
    }

    /// Results of a bucket that speak for sequence numbers above `after`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn results_after(&self, bucket: &str, after: i64) -> Result<Vec<ResultsDocument>, StoreError> {
        let query = Query::from("SELECT * FROM c WHERE c.type = 'results' AND c.lastSequence > @after")
            .with_parameter("@after", after)
            .map_err(|error| StoreError::Query(error.to_string()))?;
        self.query(query, FeedScope::partition(bucket.to_owned())).await
    }

    /// A bucket's results whose readings overlap a span of time, with one device's rows alone.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away or the span holds too much.
    pub async fn results_between(
        &self,
        bucket: &str,
        device_id: &str,
        from: i64,
        to: i64,
    ) -> Result<Vec<ResultsDocument>, StoreError> {
        // The device's id travels as a parameter: it is untrusted text.
        let text = "SELECT c.id, c.type, c.bucket, c.hub, c.partition, c.epoch, c.term, c.writer, c.version, \
                    c.firstSequence, c.lastSequence, c.enqueuedTo, c.ttl, c['from'], c['to'], c.columns, \
                    c.readings[@id] AS rows FROM c WHERE c.type = 'results' AND c['to'] >= @from AND c['from'] <= @to";
        let query = Query::from(text)
            .with_parameter("@id", device_id)
            .and_then(|query| query.with_parameter("@from", from))
            .and_then(|query| query.with_parameter("@to", to))
            .map_err(|error| StoreError::Query(error.to_string()))?;
        let parts: Vec<DevicePart> = self.query(query, FeedScope::partition(bucket.to_owned())).await?;
        let whole = |part: DevicePart| ResultsDocument {
            header: part.header,
            from: part.from,
            to: part.to,
            columns: part.columns,
            readings: part.rows.map(|rows| (device_id.to_owned(), rows)).into_iter().collect(),
            alerts: Vec::new(),
            states: BTreeMap::new(),
        };
        Ok(parts.into_iter().map(whole).collect())
    }

    pub(crate) async fn query<T>(&self, query: Query, scope: FeedScope) -> Result<Vec<T>, StoreError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let read = async {
            let container = self.container().await?;
            let failed = |error: azure_data_cosmos::CosmosError| StoreError::Query(error.to_string());
            let mut items = container.query_items::<T>(query, scope, None).await.map_err(failed)?;
            let mut all = Vec::new();
            while let Some(item) = items.try_next().await.map_err(failed)? {
                if all.len() == MAX_DOCUMENTS {
                    return Err(StoreError::TooMuch);
                }
                all.push(item);
            }
            Ok(all)
        };
        tokio::time::timeout(self.deadline, read).await.unwrap_or(Err(StoreError::Deadline(self.deadline)))
    }

    async fn container(&self) -> Result<&ContainerClient, StoreError> {
        self.container.get_or_try_init(|| async { self.connect().await.map_err(StoreError::Client) }).await
    }

    async fn connect(&self) -> Result<ContainerClient, String> {
        let account = self.account()?;
        let routing = match &self.settings.region {
            Some(region) => RoutingStrategy::ProximityTo(region.clone().into()),
            None => RoutingStrategy::PreferredRegions(Vec::new()),
        };
        let client =
            CosmosClient::builder().build(account, routing).await.map_err(|error| error.to_string())?;
        let database = client.database_client(DATABASE);
        database.container_client(CONTAINER, None).await.map_err(|error| error.to_string())
    }

    fn account(&self) -> Result<AccountReference, String> {
        let endpoint: AccountEndpoint = self
            .settings
            .endpoint
            .parse()
            .map_err(|error| format!("endpoint `{}`: {error}", self.settings.endpoint))?;
        let credential: Arc<dyn TokenCredential> = match &self.settings.credential {
            CosmosCredential::Key(key) => {
                let key = Secret::new(key.expose_secret().to_owned());
                return Ok(AccountReference::with_authentication_key(endpoint, key));
            }
            CosmosCredential::ManagedIdentity { client_id } => {
                let user_assigned_id = client_id.clone().map(UserAssignedId::ClientId);
                let options = ManagedIdentityCredentialOptions { user_assigned_id, ..Default::default() };
                ManagedIdentityCredential::new(Some(options)).map_err(|error| error.to_string())?
            }
            CosmosCredential::Developer => {
                DeveloperToolsCredential::new(None).map_err(|error| error.to_string())?
            }
        };
        Ok(AccountReference::with_credential(endpoint, credential))
    }
}
