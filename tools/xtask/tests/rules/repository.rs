//! The repository as the rules see it: its files and their texts.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tools/xtask lies two folders deep")
        .to_path_buf()
}

/// The text of a file of the repository.
pub(crate) fn read(path: &str) -> String {
    let file = root().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()))
}

/// Names of the folders in `functions/`, sorted.
pub(crate) fn functions() -> Vec<String> {
    let entries = fs::read_dir(root().join("functions")).expect("functions/ can be read");
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
