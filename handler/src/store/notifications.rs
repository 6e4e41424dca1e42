//! Reads and writes what was sent to people: the only documents that the handler writes itself.
//!
//! A binding could not do it: its upserts overwrite, and nobody hears whether they were carried out. Here a document is
//! created only where none is, and replaced only if nobody else did so meanwhile.

use std::ops::ControlFlow;

use azure_core::http::Etag;
use azure_data_cosmos::options::{ItemWriteOptions, Precondition};
use azure_data_cosmos::{CosmosError, Query};
use serde::Deserialize;
use wire::notifications::{NOTIFICATIONS_BUCKET, NotificationDocument, Silent};

use super::{Question, Store, StoreError, query_error};

/// The service's answer to a document that is there already.
const CONFLICT: u16 = 409;
/// The service's answer to a document that was replaced meanwhile.
const PRECONDITION_FAILED: u16 = 412;
/// The service's answer where there is nothing.
const NOT_FOUND: u16 = 404;

/// A notification as it is stored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StoredNotification {
    /// The document.
    #[serde(flatten)]
    pub document: NotificationDocument,
    /// By which it is known whether somebody replaced it.
    #[serde(rename = "_etag")]
    pub etag: String,
}

/// What a notification told, without what it says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToldNotification {
    /// Its place in its chain.
    pub number: i64,
    /// How far steps were looked at, in seconds since 1970 by the account's clock.
    pub seen_to: i64,
    /// Hashes of what it told.
    pub told: String,
    /// Who was silent.
    #[serde(default)]
    pub silent: Vec<Silent>,
}

/// A step of an alert, with what a notification says of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredStep {
    /// The alert.
    pub alert_id: String,
    /// `opened`, `escalated` or `closed`.
    pub step: String,
    /// The device.
    pub device_id: String,
    /// Kind of the alert.
    pub kind: String,
    /// `warning` or `critical`.
    pub severity: String,
    /// When the alert was opened, in epoch milliseconds.
    pub opened_at: i64,
    /// When the reading of this step was measured, in epoch milliseconds.
    pub at: i64,
    /// Its temperature in degrees Celsius.
    pub temperature: f64,
    /// Degrees Celsius expected.
    pub expected: Option<f64>,
    /// The greatest score of the alert so far.
    pub peak_score: f64,
    /// When the document was written last, in seconds since 1970 by the account's clock.
    #[serde(rename = "_ts")]
    pub stored_at: i64,
}

impl Store {
    /// Creates a notification where there is none of its id; whether there was none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away: it may have been created all the same.
    pub async fn create_notification(&self, document: &NotificationDocument) -> Result<bool, StoreError> {
        let asked = format!("notification `{}`, to create it,", document.id);
        let create = async {
            let container = self.container(&asked).await?;
            let created = container.create_item(NOTIFICATIONS_BUCKET, &document.id, document, None).await;
            carried_out(created.map(|_| ()), CONFLICT).map_err(|error| query_error(&asked, error))
        };
        self.in_time(&asked, create).await
    }

    /// Replaces a notification if it is still as it was read; whether it was.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away: it may have been replaced all the same.
    pub async fn replace_notification(
        &self,
        document: &NotificationDocument,
        etag: &str,
    ) -> Result<bool, StoreError> {
        let asked = format!("notification `{}`, to replace it,", document.id);
        let unchanged = Precondition::IfMatch(Etag::from(etag.to_owned()));
        let options = ItemWriteOptions::default().with_precondition(unchanged);
        let replace = async {
            let container = self.container(&asked).await?;
            let replaced =
                container.replace_item(NOTIFICATIONS_BUCKET, &document.id, document, Some(options)).await;
            carried_out(replaced.map(|_| ()), PRECONDITION_FAILED).map_err(|error| query_error(&asked, error))
        };
        self.in_time(&asked, replace).await
    }

    /// One notification as it is now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn notification(&self, id: &str) -> Result<Option<StoredNotification>, StoreError> {
        let asked = format!("notification `{id}`");
        let read = async {
            let container = self.container(&asked).await?;
            match container.read_item(NOTIFICATIONS_BUCKET, id, None).await {
                Ok(response) => {
                    let stored = response.into_body().into_single();
                    stored.map(Some).map_err(|error| query_error(&asked, error))
                }
                Err(error) if status(&error) == NOT_FOUND => Ok(None),
                Err(error) => Err(query_error(&asked, error)),
            }
        };
        self.in_time(&asked, read).await
    }

    /// All notifications that are not done.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn unfinished_notifications(&self) -> Result<Vec<StoredNotification>, StoreError> {
        let query = Query::from(
            "SELECT * FROM c WHERE c.type = 'notification' AND c.state IN ('claimed', 'waiting')",
        );
        self.all(Question::within("what is to be sent", NOTIFICATIONS_BUCKET, Ok(query))?).await
    }

    /// What notifications of a chain told that come after a place in it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn told_after(&self, chain: &str, number: i64) -> Result<Vec<ToldNotification>, StoreError> {
        self.told(chain, "c.number > @number", &[("@number", number)]).await
    }

    /// What notifications of a chain told that looked at steps stored at this time or later, in seconds since 1970, or
    /// were claimed first at this time or later, in epoch milliseconds.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn told_since(
        &self,
        chain: &str,
        seen_to: i64,
        created_at: i64,
    ) -> Result<Vec<ToldNotification>, StoreError> {
        let condition = "(c.seenTo >= @seenTo OR c.createdAt >= @createdAt)";
        self.told(chain, condition, &[("@seenTo", seen_to), ("@createdAt", created_at)]).await
    }

    /// The newest notification of a chain.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn newest_told(&self, chain: &str) -> Result<Option<ToldNotification>, StoreError> {
        let query = Query::from(
            "SELECT TOP 1 c.number, c.seenTo, c.told, c.silent FROM c \
             WHERE c.type = 'notification' AND c.chain = @chain ORDER BY c.number DESC",
        )
        .with_parameter("@chain", chain);
        let asked = format!("the newest of `{chain}`");
        Ok(self.all(Question::within(&asked, NOTIFICATIONS_BUCKET, query)?).await?.pop())
    }

    async fn told(
        &self,
        chain: &str,
        condition: &str,
        parameters: &[(&str, i64)],
    ) -> Result<Vec<ToldNotification>, StoreError> {
        let text = format!(
            "SELECT c.number, c.seenTo, c.told, c.silent FROM c \
             WHERE c.type = 'notification' AND c.chain = @chain AND {condition}"
        );
        let query = parameters
            .iter()
            .fold(Query::from(text).with_parameter("@chain", chain), |query, (name, value)| {
                query.and_then(|query| query.with_parameter(*name, value))
            });
        self.all(Question::within(&format!("what `{chain}` told"), NOTIFICATIONS_BUCKET, query)?).await
    }

    /// Shows steps of alerts that were stored after a time, in seconds since 1970 by the account's clock, to `take`,
    /// those stored first first, until it has seen enough, or the time for a read is over.
    ///
    /// The price follows what was stored since, not what is stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn steps_stored_after(
        &self,
        stored_at: i64,
        mut take: impl FnMut(StoredStep) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let query = Query::from(
            "SELECT c.alertId, c.step, c.deviceId, c.kind, c.severity, c.openedAt, c.at, c.temperature, \
             c.expected, c.peakScore, c._ts FROM c WHERE c.type = 'alert' AND c._ts > @after ORDER BY c._ts ASC",
        )
        .with_parameter("@after", stored_at);
        let question = Question::across(&format!("the steps of alerts stored after {stored_at}"), query)?;
        let (asked, mut n_taken) = (question.asked.clone(), 0_usize);
        let counted = |step| {
            n_taken += 1;
            take(step)
        };
        match self.in_time(&asked, self.each(question, counted)).await {
            // What came is in order: the next look goes on behind it.
            Err(StoreError::Deadline { .. }) if n_taken > 0 => {
                tracing::warn!(n_taken, "{asked} are more than can be read at once");
                Ok(())
            }
            end => end,
        }
    }
}

fn status(error: &CosmosError) -> u16 {
    error.status().status_code().into()
}

/// Whether a conditional write was carried out; the status means that its condition did not hold.
fn carried_out(written: Result<(), CosmosError>, unless: u16) -> Result<bool, CosmosError> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if status(&error) == unless => Ok(false),
        Err(error) => Err(error),
    }
}
