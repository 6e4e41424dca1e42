//! Reads the documents that the host's binding wrote.
//!
//! The client is made at the first read, because making it talks to the service; a service that is away then costs
//! that read and no start.

mod account;
mod error;
mod facts;
mod notifications;
mod numbering;
mod people;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use azure_data_cosmos::clients::ContainerClient;
use azure_data_cosmos::{CosmosError, FeedScope, Query};
use futures::TryStreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use wire::documents::{AlertDocument, DevicesDocument, Header, ReadingRow, RejectsDocument, ResultsDocument};

pub use self::error::StoreError;
pub(crate) use self::error::with_causes;
pub use self::notifications::{StoredNotification, StoredStep, ToldNotification};
pub use self::numbering::LostEvents;
pub use self::people::MuteDocument;
use crate::settings::CosmosSettings;

/// Earliest and latest time that a document can state: JSON's exact integers.
pub(crate) const ALL_TIMES: (i64, i64) = (-(1 << 53), 1 << 53);
/// Documents that one question may bring back: beyond it the answer would not fit in memory for many at once.
const MAX_DOCUMENTS: usize = 20_000;
/// Everything of a document but what it holds.
const HEADER_COLUMNS: &str = "c.id, c.type, c.bucket, c.hub, c.partition, c.epoch, c.term, c.writer, c.version, \
                              c.firstSequence, c.lastSequence, c.enqueuedTo, c.ttl";

/// Reads database `AnomalyDB`, container `Results`.
pub struct Store {
    settings: CosmosSettings,
    deadline: Duration,
    container: OnceCell<ContainerClient>,
}

/// What is to be read, and its name in complaints.
struct Question {
    asked: String,
    query: Query,
    scope: FeedScope,
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
        let query = Query::from("SELECT * FROM c WHERE c.type = 'devices'");
        self.all(Question::across("the devices of all buckets", Ok(query))?).await
    }

    /// The tables of devices of one bucket.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn device_tables_of(&self, bucket: &str) -> Result<Vec<DevicesDocument>, StoreError> {
        let query = Query::from("SELECT * FROM c WHERE c.type = 'devices'");
        self.all(Question::within("the devices", bucket, Ok(query))?).await
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
        let query = query.with_parameter("@id", device_id);
        let mut buckets: Vec<String> = self.all(Question::across("the buckets of a device", query)?).await?;
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
            .with_parameter("@after", after);
        self.all(Question::within(&format!("the results after {after}"), bucket, query)?).await
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
        let text = format!(
            "SELECT {HEADER_COLUMNS}, c['from'], c['to'], c.columns, c.readings[@id] AS rows FROM c \
             WHERE c.type = 'results' AND c['to'] >= @from AND c['from'] <= @to"
        );
        let query = Query::from(text)
            .with_parameter("@id", device_id)
            .and_then(|query| query.with_parameter("@from", from))
            .and_then(|query| query.with_parameter("@to", to));
        let question = Question::within(&format!("the results from {from} to {to}"), bucket, query)?;
        let parts: Vec<DevicePart> = self.all(question).await?;
        let whole = |part: DevicePart| ResultsDocument {
            header: part.header,
            from: part.from,
            to: part.to,
            columns: part.columns,
            readings: part.rows.map(|rows| (device_id.to_owned(), rows)).into_iter().collect(),
            states: BTreeMap::new(),
        };
        Ok(parts.into_iter().map(whole).collect())
    }

    /// Shows documents with rejects to `take`, newest enqueued time first, until it has seen enough.
    ///
    /// Documents are left out that end before `from` or begin after `to`, in epoch milliseconds.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn rejects_newest_first(
        &self,
        from: i64,
        to: i64,
        take: impl FnMut(RejectsDocument) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let query = Query::from(
            "SELECT * FROM c WHERE c.type = 'rejects' AND c.enqueuedTo >= @from \
             AND ARRAY_LENGTH(c.rejects) > 0 \
             AND (IS_NULL(c.rejects[0].enqueuedAt) OR c.rejects[0].enqueuedAt <= @to) \
             ORDER BY c.enqueuedTo DESC",
        )
        .with_parameter("@from", from)
        .and_then(|query| query.with_parameter("@to", to));
        let question = Question::across(&format!("the rejects from {from} to {to}"), query)?;
        self.in_time(&question.asked.clone(), self.each(question, take)).await
    }

    /// Shows documents of alerts opened in a span of time, in epoch milliseconds, to `take`, those opened last first,
    /// until it has seen enough: those of a device, of devices whose ids begin alike, of both or of all.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn alerts_newest_first(
        &self,
        from: i64,
        to: i64,
        (device_id, prefix): (Option<&str>, Option<&str>),
        take: impl FnMut(AlertDocument) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let of_device = if device_id.is_some() { "AND c.deviceId = @id " } else { "" };
        let of_prefix = if prefix.is_some() { "AND STARTSWITH(c.deviceId, @prefix) " } else { "" };
        let text = format!(
            "SELECT * FROM c WHERE c.type = 'alert' AND c.openedAt >= @from AND c.openedAt <= @to \
             {of_device}{of_prefix}ORDER BY c.openedAt DESC"
        );
        // The device's id travels as a parameter: it is untrusted text.
        let query = Query::from(text)
            .with_parameter("@from", from)
            .and_then(|query| query.with_parameter("@to", to))
            .and_then(|query| query.with_parameter("@id", device_id))
            .and_then(|query| query.with_parameter("@prefix", prefix));
        let question = Question::across(&format!("the alerts from {from} to {to}"), query)?;
        self.in_time(&question.asked.clone(), self.each(question, take)).await
    }

    /// What the documents with rejects say of themselves that speak for any of these sequence numbers of a bucket.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away or the stretch holds too much.
    pub async fn reject_headers(
        &self,
        bucket: &str,
        first: i64,
        last: i64,
    ) -> Result<Vec<Header>, StoreError> {
        let text = format!(
            "SELECT {HEADER_COLUMNS} FROM c WHERE c.type = 'rejects' AND c.lastSequence >= @first \
             AND c.firstSequence <= @last"
        );
        let query = Query::from(text)
            .with_parameter("@first", first)
            .and_then(|query| query.with_parameter("@last", last));
        self.all(Question::within(&format!("who speaks for {first} to {last}"), bucket, query)?).await
    }

    async fn all<T>(&self, question: Question) -> Result<Vec<T>, StoreError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let asked = question.asked.clone();
        let mut all = Vec::new();
        let mut is_too_much = false;
        let read = self.each(question, |item| {
            is_too_much = all.len() == MAX_DOCUMENTS;
            if is_too_much {
                return ControlFlow::Break(());
            }
            all.push(item);
            ControlFlow::Continue(())
        });
        self.in_time(&asked, read).await?;
        if is_too_much { Err(StoreError::TooMuch { asked, limit: MAX_DOCUMENTS }) } else { Ok(all) }
    }

    async fn each<T>(
        &self,
        question: Question,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), StoreError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let Question { asked, query, scope } = question;
        let container = self.container(&asked).await?;
        let failed = |error| query_error(&asked, error);
        let mut items = container.query_items::<T>(query, scope, None).await.map_err(failed)?;
        while let Some(item) = items.try_next().await.map_err(failed)? {
            if take(item).is_break() {
                break;
            }
        }
        Ok(())
    }

    async fn in_time<T>(
        &self,
        asked: &str,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let limit = self.deadline;
        let late = || StoreError::Deadline { asked: asked.to_owned(), limit };
        tokio::time::timeout(limit, read).await.unwrap_or_else(|_| Err(late()))
    }

    async fn container(&self, asked: &str) -> Result<&ContainerClient, StoreError> {
        let open = || async {
            account::open_container(&self.settings).await.map_err(|source| StoreError::Account {
                endpoint: self.settings.endpoint.to_string(),
                asked: asked.to_owned(),
                source,
            })
        };
        self.container.get_or_try_init(open).await
    }
}

impl Question {
    fn across(asked: &str, query: Result<Query, CosmosError>) -> Result<Self, StoreError> {
        let query = query.map_err(|error| query_error(asked, error))?;
        Ok(Self { asked: asked.to_owned(), query, scope: FeedScope::full_container() })
    }

    fn within(asked: &str, bucket: &str, query: Result<Query, CosmosError>) -> Result<Self, StoreError> {
        let asked = format!("{asked} of bucket `{bucket}`");
        let query = query.map_err(|error| query_error(&asked, error))?;
        Ok(Self { asked, query, scope: FeedScope::partition(bucket.to_owned()) })
    }
}

fn query_error(asked: &str, error: CosmosError) -> StoreError {
    StoreError::Query { asked: asked.to_owned(), source: Box::new(error) }
}
