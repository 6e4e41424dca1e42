//! The fuzzers' corpora of queries and of states as ordinary tests.

use std::path::Path;

/// Runs a check on every input of a corpus.
fn run(corpus: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(corpus);
    let mut n_inputs = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        // Told apart by name when one of them fails.
        println!("{}", path.display());
        check(&std::fs::read(&path).unwrap());
        n_inputs += 1;
    }
    assert!(n_inputs > 20, "only {n_inputs} inputs in {}", folder.display());
}

#[test]
fn queries() {
    run("parameters", crate::queries::check);
}

#[test]
fn states() {
    run("state", crate::state::check);
}
