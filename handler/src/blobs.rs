//! Keeps snapshots in a blob container.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use azure_core::Bytes;
use azure_core::credentials::TokenCredential;
use azure_core::http::{
    ClientOptions, ExponentialRetryOptions, RequestContent, RetryOptions, StatusCode, Url,
};
use azure_identity::ManagedIdentityCredential;
use azure_storage_blob::models::{BlobClientUploadOptions, BlobContainerClientListBlobsOptions};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use secrecy::{ExposeSecret, SecretString};

use crate::scoring::stored::SnapshotStore;

/// The client's own tries take minutes to report a refused connection.
const MAX_RETRIES: u32 = 2;
/// Names that one question brings back at most; three are kept of a partition.
const MAX_NAMES: usize = 1000;

/// A blob container that is read and written with short patience: snapshots only save time.
pub struct Blobs {
    container: BlobContainerClient,
    deadline: Duration,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The container's address may hold a signature.
        formatter.debug_struct("Blobs").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl Blobs {
    /// Prepares to use a container; nothing is contacted yet.
    ///
    /// A signature in the URL grants access, else the app's managed identity does.
    ///
    /// # Errors
    ///
    /// The URL is none, or one that the client cannot use.
    pub fn new(url: &SecretString, deadline: Duration) -> anyhow::Result<Self> {
        // The URL may hold a signature, so errors must not repeat it.
        let url: Url = url.expose_secret().parse().context("SNAPSHOT_CONTAINER_URL is no URL")?;
        let is_signed = url.query_pairs().any(|(name, _)| name == "sig");
        let credential: Option<Arc<dyn TokenCredential>> = match is_signed {
            true => None,
            false => Some(ManagedIdentityCredential::new(None)?),
        };
        let retry = RetryOptions::exponential(ExponentialRetryOptions {
            max_retries: MAX_RETRIES,
            ..Default::default()
        });
        let client_options = ClientOptions { retry, ..Default::default() };
        let options = BlobContainerClientOptions { client_options, ..Default::default() };
        let container = BlobContainerClient::new(url, credential, Some(options))
            .map_err(|_| anyhow::anyhow!("SNAPSHOT_CONTAINER_URL is no address of a blob container"))?;
        Ok(Self { container, deadline })
    }

    fn in_time<'a, T: 'a>(
        &self,
        work: impl Future<Output = anyhow::Result<T>> + Send + 'a,
    ) -> BoxFuture<'a, anyhow::Result<T>> {
        let deadline = self.deadline;
        async move { tokio::time::timeout(deadline, work).await.context("blob storage did not answer in time")? }
            .boxed()
    }
}

impl SnapshotStore for Blobs {
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<String>>> {
        self.in_time(async move {
            let options =
                BlobContainerClientListBlobsOptions { prefix: Some(prefix.to_owned()), ..Default::default() };
            let mut blobs = self.container.list_blobs(Some(options))?;
            let mut names = Vec::new();
            while let Some(blob) = blobs.try_next().await? {
                names.extend(blob.name);
                anyhow::ensure!(names.len() <= MAX_NAMES, "more than {MAX_NAMES} snapshots in `{prefix}`");
            }
            Ok(names)
        })
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<u8>>> {
        self.in_time(async move {
            let blob = self.container.blob_client(name).download(None).await?;
            Ok(blob.body.collect().await?.to_vec())
        })
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, anyhow::Result<()>> {
        self.in_time(async move {
            let options = BlobClientUploadOptions::default().if_not_exists();
            let content = RequestContent::from(Bytes::from(bytes).to_vec());
            match self.container.blob_client(name).upload(content, Some(options)).await {
                Ok(_) => Ok(()),
                Err(error)
                    if matches!(
                        error.http_status(),
                        Some(StatusCode::Conflict | StatusCode::PreconditionFailed)
                    ) =>
                {
                    Ok(())
                }
                Err(error) => Err(error.into()),
            }
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<()>> {
        self.in_time(async move {
            self.container.blob_client(name).delete(None).await?;
            Ok(())
        })
    }
}
