//! Reads what people wrote, and the alerts that they wrote about.

use azure_data_cosmos::Query;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wire::documents::AlertDocument;
use wire::people::{Acknowledgement, MUTE, Mute, PEOPLE_BUCKET, Unmute};

use super::{Question, Store, StoreError};

/// Buckets read at the same time.
const PARALLEL_READS: usize = 16;

/// A mute, or the end of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MuteDocument {
    /// The order.
    Mute(Mute),
    /// Its end.
    Unmute(Unmute),
}

/// The type of a document, before the rest of it is read.
#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    document_type: String,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

impl Store {
    /// Acknowledgements of alerts, which are given by their bucket.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn acknowledgements(
        &self,
        alerts: Vec<(String, Vec<String>)>,
    ) -> Result<Vec<Acknowledgement>, StoreError> {
        self.of_alerts("acknowledgement", alerts).await
    }

    /// All steps of alerts, which are given by their bucket.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn steps(&self, alerts: Vec<(String, Vec<String>)>) -> Result<Vec<AlertDocument>, StoreError> {
        self.of_alerts("alert", alerts).await
    }

    /// Mutes that end, or would have ended, at a time in epoch milliseconds or later, and their ends.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away, or there are too many.
    pub async fn mutes(&self, until: i64) -> Result<Vec<MuteDocument>, StoreError> {
        let query = Query::from("SELECT * FROM c WHERE c.type IN ('mute', 'unmute') AND c.until >= @from")
            .with_parameter("@from", until);
        let documents = self.all(Question::within("the mutes", PEOPLE_BUCKET, query)?).await?;
        Ok(documents.into_iter().filter_map(MuteDocument::read).collect())
    }

    /// Bucket by bucket: one question across all of them visits every physical partition of the container in turn.
    async fn of_alerts<T>(
        &self,
        document_type: &str,
        alerts: Vec<(String, Vec<String>)>,
    ) -> Result<Vec<T>, StoreError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let text =
            format!("SELECT * FROM c WHERE c.type = '{document_type}' AND ARRAY_CONTAINS(@ids, c.alertId)");
        stream::iter(alerts)
            .map(|(bucket, ids)| {
                // Ids travel as a parameter: callers wrote them.
                let query = Query::from(text.as_str()).with_parameter("@ids", ids);
                async move {
                    let asked = format!("documents of type {document_type} of some alerts");
                    self.all(Question::within(&asked, &bucket, query)?).await
                }
            })
            .buffer_unordered(PARALLEL_READS)
            .try_concat()
            .await
    }
}

impl MuteDocument {
    /// What another release wrote in another form is left out.
    fn read(Typed { document_type, mut rest }: Typed) -> Option<Self> {
        let is_mute = document_type == MUTE;
        rest.insert("type".to_owned(), document_type.into());
        let document = serde_json::Value::Object(rest);
        let read = if is_mute {
            serde_json::from_value(document).map(Self::Mute)
        } else {
            serde_json::from_value(document).map(Self::Unmute)
        };
        read.inspect_err(|error| tracing::warn!(error = %error, "a mute cannot be read")).ok()
    }
}
