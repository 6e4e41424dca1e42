//! Blob storage for snapshots: Azurite runs as a child behind a port that can be down; the address of its container leaves.
//!
//! It refuses to know what a snapshot is: the handler gets a container's address with a signature, as from any account.

mod azurite;
mod create;
mod relay;
mod sas;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use azurite::{Azurite, AzuriteError};

use crate::config::Settings;
use crate::faults::Switch;

/// The setting that names the container.
const SETTING: &str = "SNAPSHOT_CONTAINER_URL";

/// A blob service with the port that clients see.
#[derive(Debug)]
pub(crate) struct BlobService {
    azurite: Azurite,
    relay: JoinHandle<()>,
}

impl BlobService {
    /// Starts Azurite, if one is given, and names its container in the settings, unless they name another.
    ///
    /// # Errors
    ///
    /// Why Azurite does not run.
    pub(crate) async fn start(
        program: Option<&Path>,
        data: &Path,
        settings: &mut Settings,
        switch: &Arc<Switch>,
    ) -> Result<Option<Self>> {
        if settings.get(SETTING).is_some_and(|url| !url.is_empty()) {
            tracing::info!(setting = SETTING, "snapshots go where the setting says");
            return Ok(None);
        }
        let Some(program) = program else {
            tracing::info!("snapshots are off: without --azurite there is no blob storage");
            return Ok(None);
        };
        let azurite = Azurite::start(program, &data.join("blobs")).await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port for blob storage")?;
        let address = listener.local_addr()?;
        settings.set(SETTING, azurite.container_url(address));
        tracing::info!(blobs = %address, "snapshots are kept by azurite");
        let relay = tokio::spawn(relay::relay(listener, Arc::clone(switch), azurite.address()));
        Ok(Some(Self { azurite, relay }))
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.relay.abort();
        self.azurite.stop().await;
    }
}
