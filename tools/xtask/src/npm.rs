//! Installs and builds JavaScript packages with npm, and does neither twice for the same files.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;
use crate::workspace::Workspace;

/// The oldest Node that the dashboard's tools run on.
const OLDEST_NODE: u32 = 20;

/// What this tool writes into a package's folder, and therefore no input of its build.
const OUTPUTS: [&str; 4] = ["node_modules", "dist", "coverage", "test-results"];

/// A Node that is recent enough, with its npm.
pub(crate) struct Npm {
    program: PathBuf,
}

impl Npm {
    /// Looks for Node and npm; `Err` says in words what is missing.
    pub(crate) fn find() -> Result<Self, String> {
        let node = command::find("node").ok_or("Node.js is not installed")?;
        let program = command::find("npm").ok_or("npm is not installed")?;
        let version = command::output(Command::new(node).arg("--version"))
            .map_err(|error| format!("Node.js does not run: {error:#}"))?;
        let major =
            major(&version).ok_or_else(|| format!("Node.js reports no version: `{}`", version.trim()))?;
        if major < OLDEST_NODE {
            return Err(format!("Node.js {} is too old: {OLDEST_NODE} or newer is needed", version.trim()));
        }
        Ok(Self { program })
    }

    /// Installs a package's dependencies as its lock file says, unless that was done already.
    ///
    /// # Errors
    ///
    /// When `npm ci` fails.
    pub(crate) fn install(&self, workspace: &Workspace, package: &str) -> Result<()> {
        let folder = workspace.path(package);
        let inputs = [folder.join("package.json"), folder.join("package-lock.json"), folder.join(".npmrc")];
        let note = Note::new(workspace, &format!("{package}-install"), &fingerprint(&inputs)?);
        if note.is_current() && folder.join("node_modules").is_dir() {
            return Ok(());
        }
        note.forget()?;
        command::run(self.command(&folder).args(["ci", "--no-audit", "--no-fund"]))?;
        note.write()
    }

    /// Runs a script of a package.
    ///
    /// # Errors
    ///
    /// When the script fails.
    pub(crate) fn script(&self, workspace: &Workspace, package: &str, script: &str) -> Result<()> {
        command::run(self.command(&workspace.path(package)).args(["run", script]))
    }

    /// A call of npm in a folder.
    pub(crate) fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(folder);
        command
    }
}

/// A note that something was done for inputs of one fingerprint.
pub(crate) struct Note {
    file: PathBuf,
    fingerprint: String,
}

impl Note {
    /// The note of that name, for these inputs.
    pub(crate) fn new(workspace: &Workspace, name: &str, fingerprint: &str) -> Self {
        Self { file: workspace.notes().join(name), fingerprint: fingerprint.to_owned() }
    }

    /// Whether it was done for just these inputs.
    pub(crate) fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|noted| noted == self.fingerprint)
    }

    /// Forgets the note: what follows may end half-way.
    pub(crate) fn forget(&self) -> Result<()> {
        if self.file.exists() {
            fs::remove_file(&self.file)
                .with_context(|| format!("`{}` cannot be removed", self.file.display()))?;
        }
        Ok(())
    }

    /// Notes that it was done.
    pub(crate) fn write(&self) -> Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("`{}` cannot be created", folder.display()))?;
        }
        fs::write(&self.file, &self.fingerprint)
            .with_context(|| format!("`{}` cannot be written", self.file.display()))
    }
}

/// Every file of a package that its build reads.
pub(crate) fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("`{}` cannot be read", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("`{}` cannot be read", folder.display()))?;
            let kind =
                entry.file_type().with_context(|| format!("`{}` cannot be read", entry.path().display()))?;
            if OUTPUTS.iter().any(|output| entry.file_name() == *output) {
                continue;
            }
            if kind.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// One value for the names and contents of files; files that do not exist count as such.
pub(crate) fn fingerprint(files: &[PathBuf]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        let content = if file.exists() {
            Some(fs::read(file).with_context(|| format!("`{}` cannot be read", file.display()))?)
        } else {
            None
        };
        content.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_what_stands_before_the_first_dot() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v8"), Some(8));
        assert_eq!(major("nightly"), None);
    }

    #[test]
    fn a_fingerprint_changes_with_a_file_that_is_missing() {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let missing = PathBuf::from("no-such-file");
        let one = fingerprint(std::slice::from_ref(&here)).unwrap();
        assert_eq!(one, fingerprint(std::slice::from_ref(&here)).unwrap());
        assert_ne!(one, fingerprint(&[here, missing]).unwrap());
    }
}
