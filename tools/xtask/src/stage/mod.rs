//! Writes the script root, `target/app`, from an exact list.
//!
//! What enters is the repository; what leaves is the folder that the local host, `func start` and
//! `func azure functionapp publish` run, and nothing in it that is not on the list. A file is replaced by renaming a
//! complete one into its place, and only if it has changed, so that a host that runs on the folder never sees half a
//! file.

mod app;
mod dashboard;
mod handler;
pub(crate) mod settings;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::workspace::Workspace;

/// Options of `stage`.
#[derive(Args)]
pub(crate) struct Options {
    /// Cargo profile to build the handler with.
    #[arg(long, default_value = "release")]
    profile: String,
}

/// A script root that is ready to run.
pub(crate) struct Staged {
    /// The script root.
    pub(crate) folder: PathBuf,
    /// Why it holds no dashboard, if it holds none.
    pub(crate) dashboard_missing: Option<String>,
}

/// Runs `stage`.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let staged = stage(workspace, &options.profile)?;
    println!("staged {}", staged.folder.display());
    Ok(())
}

/// Builds what ships and writes the script root.
///
/// # Errors
///
/// When a build fails, a file on the list is missing, or the folder cannot be written.
pub(crate) fn stage(workspace: &Workspace, profile: &str) -> Result<Staged> {
    let handler = handler::build(workspace, profile)?;
    let dashboard = dashboard::build(workspace)?;
    let files = app::list(workspace, &handler, dashboard.folder.as_deref())?;
    let folder = workspace.app();
    app::write(&folder, &files)?;
    settings::provide(workspace, &folder)?;
    if let Some(reason) = &dashboard.missing {
        println!("notice: the app has no dashboard, only a page that says so: {reason}");
    }
    Ok(Staged { folder, dashboard_missing: dashboard.missing })
}
