//! Where things are: the repository's root and the folders below `target` that this tool writes.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The repository on disk.
pub(crate) struct Workspace {
    root: PathBuf,
    build: PathBuf,
}

impl Workspace {
    /// Finds the repository: cargo names this package's folder, else the current folder or one above it is the root.
    ///
    /// # Errors
    ///
    /// When neither leads to a folder that holds `host.json` and `Cargo.lock`.
    pub(crate) fn locate() -> Result<Self> {
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(package) => PathBuf::from(package),
            None => env::current_dir().context("the current folder cannot be read")?,
        };
        let Some(root) = start.ancestors().find(|folder| is_root(folder)) else {
            bail!("no repository at or above `{}`: run this from inside it", start.display());
        };
        let build = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root: root.to_path_buf(), build })
    }

    /// The repository's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A file or folder of the repository.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Cargo's build folder.
    pub(crate) fn build(&self) -> &Path {
        &self.build
    }

    /// A program that cargo has built in the given profile.
    pub(crate) fn program(&self, profile: &str, name: &str) -> PathBuf {
        let folder = if profile == "dev" { "debug" } else { profile };
        self.build.join(folder).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// The script root, which `stage` writes.
    pub(crate) fn app(&self) -> PathBuf {
        self.path("target/app")
    }

    /// Where this tool notes what it has done already.
    pub(crate) fn notes(&self) -> PathBuf {
        self.path("target/xtask")
    }
}

fn is_root(folder: &Path) -> bool {
    folder.join("host.json").is_file() && folder.join("Cargo.lock").is_file()
}
