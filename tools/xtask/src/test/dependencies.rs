//! What the project may depend on: cargo-deny with `deny.toml`, and no OpenSSL in any build.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::Outcome;
use crate::command;
use crate::workspace::Workspace;

/// The release of cargo-deny that is installed where there is none.
const CARGO_DENY: &str = "0.20.2";

/// Longest wait for the advisory database.
const FETCH_WITHIN: Duration = Duration::from_secs(60);

/// Packages that bring OpenSSL, by the first part of their names.
const OPENSSL: [&str; 3] = ["openssl", "native-tls", "tokio-native-tls"];

pub(super) fn deny(workspace: &Workspace) -> Result<Outcome> {
    command::run(cargo_deny(workspace)?.args(["check", "bans", "licenses", "sources"]))?;
    Ok(Outcome::Passed)
}

pub(super) fn advisories(workspace: &Workspace) -> Result<Outcome> {
    if let Err(error) = command::run_within(cargo_deny(workspace)?.args(["fetch", "db"]), FETCH_WITHIN) {
        return Ok(Outcome::Skipped(format!("the advisory database cannot be fetched: {error:#}")));
    }
    command::run(cargo_deny(workspace)?.args(["check", "--disable-fetch", "advisories"]))?;
    Ok(Outcome::Passed)
}

pub(super) fn openssl(workspace: &Workspace) -> Result<Outcome> {
    let arguments = ["tree", "--workspace", "--target", "all", "--prefix", "none", "--format", "{p}"];
    let tree = command::output(command::cargo(workspace, &arguments).args(command::locked()))?;
    // A package that several others need is listed again, with a mark.
    let packages: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let found: Vec<&str> = packages.iter().copied().filter(|line| brings_openssl(line)).collect();
    if !found.is_empty() {
        bail!("OpenSSL is in the dependencies: {}", found.join(", "));
    }
    println!("none of {} packages brings OpenSSL", packages.len());
    Ok(Outcome::Passed)
}

/// Whether a line of `cargo tree` names a package that brings OpenSSL; `openssl-probe` only looks for certificates.
fn brings_openssl(line: &str) -> bool {
    let name = line.split(' ').next().unwrap_or_default();
    OPENSSL.iter().any(|package| name.starts_with(package)) && name != "openssl-probe"
}

/// cargo-deny, installed below `target` first if it is missing.
fn cargo_deny(workspace: &Workspace) -> Result<Command> {
    let program = match command::find("cargo-deny") {
        Some(program) => program,
        None => install(workspace)?,
    };
    let mut deny = Command::new(program);
    deny.current_dir(workspace.root());
    Ok(deny)
}

fn install(workspace: &Workspace) -> Result<PathBuf> {
    let tools = workspace.path("target/tools");
    let program = tools.join("bin/cargo-deny");
    if !program.is_file() {
        println!("cargo-deny is not installed: building it once, which takes some minutes");
        let install = ["install", "cargo-deny", "--locked", "--version", CARGO_DENY];
        command::run(command::cargo(workspace, &install).arg("--root").arg(&tools))?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_bring_openssl_are_known_by_name() {
        assert!(brings_openssl("openssl-sys v0.9.100"));
        assert!(brings_openssl("native-tls v0.2.11 (*)"));
        assert!(!brings_openssl("openssl-probe v0.2.0"));
        assert!(!brings_openssl("rustls v0.23.0"));
    }
}
