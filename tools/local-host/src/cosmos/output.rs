//! The cosmosDB output binding: a list of documents enters, one upsert after another leaves.
//!
//! As in the real extension there is no bulk and no transaction: documents before a failing one stay, those after it are not tried.

use thiserror::Error;

use super::account::{Account, ResourceNames};

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

/// Upserts the documents, given as JSON texts, in order and stops at the first failure.
///
/// # Errors
///
/// [`UpsertError`] names the document that was refused.
pub async fn upsert_all(
    account: &Account,
    names: &ResourceNames,
    documents: &[String],
) -> Result<(), UpsertError> {
    for (index, document) in documents.iter().enumerate() {
        let fail = |reason| UpsertError {
            index,
            total: documents.len(),
            container: names.container.clone(),
            reason,
        };
        let reply = account.upsert(names, document).await.map_err(|error| fail(error.to_string()))?;
        if !reply.succeeded() {
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            return Err(fail(format!("status {}: {body}", reply.status)));
        }
    }
    Ok(())
}
