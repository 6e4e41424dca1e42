//! Builds the handler by itself: built together with the tools it would be compiled with the features that *they*
//! need, an emulator among them.

use std::path::PathBuf;

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

/// Builds the handler and returns where the program is.
///
/// # Errors
///
/// When the build fails.
pub(super) fn build(workspace: &Workspace, profile: &str) -> Result<PathBuf> {
    let mut build = command::cargo(workspace, &["build", "--package", "handler", "--profile", profile]);
    command::run(build.arg("--target-dir").arg(workspace.build()).args(command::locked()))?;
    Ok(workspace.program(profile, "handler"))
}
