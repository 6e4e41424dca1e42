//! Azurite's process: a program and a folder enter, a running blob service leaves; it ends with the local host, however that ends.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use super::create::create_container;
use super::sas;

/// Longest time from its start to its first answer.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// Container that snapshots are kept in.
const CONTAINER: &str = "snapshots";
/// Ends the process when its standard input ends, which it does with this one, even if that is killed.
const END_WITH_PARENT: &str =
    "data:text/javascript,process.stdin.on('close',()=>process.kill(process.pid)).resume()";
/// It saves what it knows before it ends, and has so long for it.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Azurite cannot be used.
#[derive(Debug, Error)]
pub enum AzuriteError {
    /// There is no such program.
    #[error("`{0}` is not there: run `npm ci` in tools/local-host, or leave --azurite out")]
    Missing(PathBuf),
    /// Something on the way to its start failed.
    #[error("azurite cannot be started: {0}")]
    Start(#[from] std::io::Error),
    /// It does not create the container.
    #[error("azurite does not create the container `{CONTAINER}`: {0}")]
    Container(String),
}

/// A running Azurite; it ends when dropped.
#[derive(Debug)]
pub struct Azurite {
    address: SocketAddr,
    /// Its standard input is open as long as this lives.
    child: Child,
}

impl Azurite {
    /// Starts the program at `path`, which is `azurite-blob` or its script, with data in `folder`, and creates the container.
    ///
    /// # Errors
    ///
    /// [`AzuriteError`] says what is missing.
    pub async fn start(path: &Path, folder: &Path) -> Result<Self, AzuriteError> {
        if !path.is_file() {
            return Err(AzuriteError::Missing(path.to_owned()));
        }
        std::fs::create_dir_all(folder)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // Free a moment ago: Azurite binds it next.
        drop(listener);
        let child = Command::new("node")
            .args(["--import", END_WITH_PARENT])
            .arg(path)
            .arg("--location")
            .arg(folder)
            .args(["--blobHost", &address.ip().to_string(), "--blobPort", &address.port().to_string()])
            .args(["--skipApiVersionCheck", "--silent", "--disableTelemetry"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let azurite = Self { address, child };
        let created = create_container(&azurite.container_url(address), READY_LIMIT).await;
        created.map_err(AzuriteError::Container)?;
        Ok(azurite)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The container's address with a signature, for clients that come to `at`.
    #[must_use]
    pub fn container_url(&self, at: SocketAddr) -> String {
        format!("http://{at}/{}/{CONTAINER}?{}", sas::ACCOUNT, sas::query())
    }

    /// Ends it and waits for its end.
    pub async fn stop(mut self) {
        drop(self.child.stdin.take());
        if tokio::time::timeout(END_LIMIT, self.child.wait()).await.is_err() {
            tracing::warn!("azurite does not end by itself and is killed");
            if let Err(error) = self.child.kill().await {
                tracing::warn!(error = %error, "azurite could not be killed");
            }
        }
    }
}
