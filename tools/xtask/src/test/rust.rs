//! Formatting, lints and tests of the Rust packages.

use anyhow::Result;

use super::Outcome;
use crate::command;
use crate::workspace::Workspace;

/// Packages that are built together.
///
/// Cargo gives a dependency the features that all packages of one call ask for. The handler is alone in its call so
/// that the build that is tested is the build that ships, and is not compiled twice; all else shares the other call.
const GROUPS: [&[&str]; 2] = [&["--package", "handler"], &["--workspace", "--exclude", "handler"]];

pub(super) fn format(workspace: &Workspace) -> Result<Outcome> {
    command::run(&mut command::cargo(workspace, &["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

pub(super) fn lint(workspace: &Workspace) -> Result<Outcome> {
    let mut clippy = command::cargo(workspace, &["clippy", "--release", "--workspace", "--all-targets"]);
    command::run(clippy.args(command::locked()).args(["--", "-D", "warnings"]))?;
    Ok(Outcome::Passed)
}

pub(super) fn test(workspace: &Workspace) -> Result<Outcome> {
    let nextest = command::find("cargo-nextest").is_some();
    for group in GROUPS {
        if nextest {
            run(workspace, &["nextest", "run", "--release"], group)?;
            run(workspace, &["test", "--release", "--doc"], group)?;
        } else {
            run(workspace, &["test", "--release"], group)?;
        }
    }
    Ok(Outcome::Passed)
}

/// Builds the programs that the end-to-end tests start, with the features that the tests have built them with.
pub(super) fn build_tools(workspace: &Workspace) -> Result<()> {
    run(workspace, &["build", "--release", "--tests", "--bins"], GROUPS[1])
}

fn run(workspace: &Workspace, call: &[&str], group: &[&str]) -> Result<()> {
    let mut cargo = command::cargo(workspace, call);
    command::run(cargo.args(group).arg("--target-dir").arg(workspace.build()).args(command::locked()))
}
