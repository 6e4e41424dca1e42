//! The dashboard's own checks, and the end-to-end tests, which drive the staged app from outside.

use std::env;
use std::path::PathBuf;

use anyhow::Result;

use super::{Outcome, rust};
use crate::npm::Npm;
use crate::workspace::Workspace;
use crate::{azurite, command};

/// Names of the browser, in order of preference.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

pub(super) fn dashboard(workspace: &Workspace) -> Result<Outcome> {
    let npm = match package(workspace, "dashboard") {
        Ok(npm) => npm,
        Err(reason) => return Ok(Outcome::Lacking(reason)),
    };
    npm.install(workspace, "dashboard")?;
    npm.script(workspace, "dashboard", "check")?;
    Ok(Outcome::Passed)
}

pub(super) fn end_to_end(workspace: &Workspace) -> Result<Outcome> {
    let npm = match package(workspace, "e2e") {
        Ok(npm) => npm,
        Err(reason) => return Ok(Outcome::Lacking(reason)),
    };
    let Some(browser) = browser() else {
        return Ok(Outcome::Lacking("no Chromium: install it, or name it in CHROMIUM".to_owned()));
    };
    if !workspace.app().join("handler").is_file() {
        return Ok(Outcome::Lacking("there is no staged app".to_owned()));
    }
    rust::build_tools(workspace)?;
    npm.install(workspace, "e2e")?;
    // Tests of snapshots are skipped without it.
    let _ = azurite::for_snapshots(workspace);
    command::run(npm.command(&workspace.path("e2e")).arg("test").env("CHROMIUM", browser))?;
    Ok(Outcome::Passed)
}

/// Node for a package that exists, or why not.
fn package(workspace: &Workspace, name: &str) -> Result<Npm, String> {
    if !workspace.path(name).join("package.json").is_file() {
        return Err(format!("there is no {name}/package.json"));
    }
    Npm::find()
}

fn browser() -> Option<PathBuf> {
    match env::var_os("CHROMIUM") {
        Some(named) => Some(named.into()),
        None => BROWSERS.iter().find_map(|name| command::find(name)),
    }
}
