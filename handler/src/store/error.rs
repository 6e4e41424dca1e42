//! Why documents could not be read: what was asked for, and all that is known of the cause.

use std::time::Duration;

use azure_data_cosmos::CosmosError;
use thiserror::Error;

/// Why documents could not be read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The account cannot be reached, or does not let us in.
    #[error("cannot open Cosmos DB account `{endpoint}` for {asked}")]
    Account {
        /// The account's address.
        endpoint: String,
        /// What was to be read.
        asked: String,
        /// What the client or the credential complains of.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The service refused, or is away.
    #[error("cannot read {asked} from Cosmos DB")]
    Query {
        /// What was to be read.
        asked: String,
        /// What the client complains of.
        source: Box<CosmosError>,
    },
    /// It took too long.
    #[error("Cosmos DB did not give {asked} within {limit:?}")]
    Deadline {
        /// What was to be read.
        asked: String,
        /// How long it may take.
        limit: Duration,
    },
    /// There is more than one answer may hold.
    #[error("{asked}: more than {limit} documents; ask for a shorter time")]
    TooMuch {
        /// What was to be read.
        asked: String,
        /// Documents that one answer may need.
        limit: usize,
    },
}

impl StoreError {
    /// The error with all its causes, in one line for logs.
    #[must_use]
    pub fn with_causes(&self) -> String {
        with_causes(self)
    }
}

/// An error with all its causes, in one line; what a cause says that was said already is left out.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let further = error.to_string();
        if !text.contains(&further) {
            text.push_str(": ");
            text.push_str(&further);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_logs_says_what_was_asked_for_and_every_cause() {
        let cause = std::io::Error::other("connection refused");
        let error = StoreError::Account {
            endpoint: "https://a.documents.azure.com".to_owned(),
            asked: "results of bucket `b.0.3`".to_owned(),
            source: Box::new(cause),
        };
        let line = error.with_causes();
        for part in ["https://a.documents.azure.com", "b.0.3", ": connection refused"] {
            assert!(line.contains(part), "{line}");
        }
    }
}
