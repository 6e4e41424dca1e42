//! Builds the dashboard when its sources have changed and Node is there.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::npm::{Note, Npm, fingerprint, sources};
use crate::workspace::Workspace;

/// The dashboard's package.
const PACKAGE: &str = "dashboard";

/// The built dashboard, or why there is none.
pub(super) struct Dashboard {
    /// Folder of the built files.
    pub(super) folder: Option<PathBuf>,
    /// Why there is no dashboard.
    pub(super) missing: Option<String>,
}

/// Builds the dashboard unless it is up to date; without Node there is none, which is no error.
///
/// # Errors
///
/// When npm or the build fails.
pub(super) fn build(workspace: &Workspace) -> Result<Dashboard> {
    let package = workspace.path(PACKAGE);
    if !package.join("package.json").is_file() {
        return Ok(missing("there is no dashboard/package.json".to_owned()));
    }
    let built = package.join("dist");
    let page = built.join("index.html");
    let note = Note::new(workspace, "dashboard-build", &fingerprint(&sources(&package)?)?);
    if note.is_current() && page.is_file() {
        return Ok(Dashboard { folder: Some(built), missing: None });
    }
    let npm = match Npm::find() {
        Ok(npm) => npm,
        Err(reason) => return Ok(missing(reason)),
    };
    note.forget()?;
    npm.install(workspace, PACKAGE)?;
    npm.script(workspace, PACKAGE, "build")?;
    if !page.is_file() {
        bail!("the dashboard's build has written no `{}`", page.display());
    }
    note.write()?;
    Ok(Dashboard { folder: Some(built), missing: None })
}

fn missing(reason: String) -> Dashboard {
    Dashboard { folder: None, missing: Some(reason) }
}
