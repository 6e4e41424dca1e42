//! What the hubs' numbering of events tells, without reading what is in them.

use azure_data_cosmos::Query;
use serde::Deserialize;

use super::{Question, Store, StoreError};

/// A stretch of events that were lost before they were scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LostEvents {
    /// The first sequence number.
    pub first_sequence: i64,
    /// The last one.
    pub last_sequence: i64,
    /// When that was found, in seconds since 1970 by the account's clock.
    #[serde(rename = "_ts")]
    pub stored_at: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stretch {
    first_sequence: i64,
    last_sequence: i64,
}

impl Store {
    /// How far a bucket's results had come at a time, in epoch milliseconds, as a sequence number; where they begin
    /// later, the number before their first; `None` without results.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn sequence_at(&self, bucket: &str, at: i64) -> Result<Option<i64>, StoreError> {
        let before = self.stretch(bucket, "c.enqueuedTo < @at ORDER BY c.enqueuedTo DESC", at).await?;
        if let Some(before) = before {
            return Ok(Some(before.last_sequence));
        }
        let first = self.stretch(bucket, "c.enqueuedTo >= @at ORDER BY c.enqueuedTo ASC", at).await?;
        Ok(first.map(|first| first.first_sequence.saturating_sub(1)))
    }

    async fn stretch(&self, bucket: &str, which: &str, at: i64) -> Result<Option<Stretch>, StoreError> {
        let text = format!(
            "SELECT TOP 1 c.firstSequence, c.lastSequence FROM c WHERE c.type = 'results' AND {which}"
        );
        let query = Query::from(text).with_parameter("@at", at);
        Ok(self.all(Question::within("how far results had come", bucket, query)?).await?.pop())
    }

    /// Events that were found lost at a time or later, in seconds since 1970 by the account's clock.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service is away.
    pub async fn lost_since(&self, stored_at: i64) -> Result<Vec<LostEvents>, StoreError> {
        let query = Query::from(
            "SELECT c.firstSequence, c.lastSequence, c._ts FROM c WHERE c.type = 'gap' AND c._ts >= @from",
        )
        .with_parameter("@from", stored_at);
        self.all(Question::across("lost events", query)?).await
    }
}
