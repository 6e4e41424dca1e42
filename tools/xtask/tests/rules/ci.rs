//! What runs in CI is what the README tells people to run.

use crate::repository::read;

const COMMAND: &str = "cargo xtask test";

#[test]
fn ci_runs_the_test_command_of_the_readme() {
    assert!(read("README.md").contains(COMMAND), "README.md names `{COMMAND}`");
    assert!(read(".ci/run").lines().any(|line| line == COMMAND), ".ci/run calls `{COMMAND}`");
}

#[test]
fn the_model_files_are_not_ignored() {
    for line in read(".gitignore").lines() {
        assert!(!line.contains("model"), "`{line}` would keep the model out of the repository");
    }
}
