//! Azurite, the storage emulator from npm: for the real host's checkpoints and leases, and for the local host's snapshots, on a machine without Azure.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::children::{Child, POLL};
use crate::npm::Npm;
use crate::workspace::Workspace;
use crate::{command, ready};

/// The storage setting that means "the emulator on this machine".
pub(crate) const CONNECTION: &str = "UseDevelopmentStorage=true";

/// The package that brings the local host's Azurite.
const PACKAGE: &str = "tools/local-host";

/// Where the emulator's blobs are, fixed by that setting.
const BLOB_PORT: u16 = 10_000;

/// Longest time until it listens; the first call downloads it.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// The program that the local host keeps snapshots with; without Node or its packages there is none, which is said.
pub(crate) fn for_snapshots(workspace: &Workspace) -> Option<PathBuf> {
    let installed =
        Npm::find().and_then(|npm| npm.install(workspace, PACKAGE).map_err(|error| format!("{error:#}")));
    match installed {
        Ok(()) => Some(workspace.path(PACKAGE).join("node_modules/.bin/azurite-blob")),
        Err(reason) => {
            println!("snapshots are off, recovery replays documents: {reason}");
            None
        }
    }
}

/// Starts Azurite unless something listens on its port already.
///
/// # Errors
///
/// When there is no npx, or Azurite does not come up.
pub(crate) fn start(workspace: &Workspace) -> Result<Option<Child>> {
    if ready::listens(BLOB_PORT) {
        return Ok(None);
    }
    let Some(npx) = command::find("npx") else {
        bail!(
            "`AzureWebJobsStorage` asks for Azurite, which comes with npm: install Node.js 20, or start Azurite"
        );
    };
    let data = workspace.path("target/azurite");
    fs::create_dir_all(&data).with_context(|| format!("`{}` cannot be created", data.display()))?;
    let mut azurite = Command::new(npx);
    azurite.args(["--yes", "azurite@3", "--silent", "--skipApiVersionCheck", "--location"]).arg(&data);
    let mut azurite = Child::start("Azurite", &mut azurite)?;
    let deadline = Instant::now() + READY_WITHIN;
    while !ready::listens(BLOB_PORT) {
        if let Some(status) = azurite.ended()? {
            bail!("Azurite has ended before it was ready: {status}");
        }
        if Instant::now() >= deadline {
            bail!("Azurite does not listen on port {BLOB_PORT} after {} s", READY_WITHIN.as_secs());
        }
        thread::sleep(POLL);
    }
    Ok(Some(azurite))
}
