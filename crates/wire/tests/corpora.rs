//! The fuzzers' corpora as ordinary tests: inputs that reach far, checked without a fuzzer.

#![cfg(test)]

#[path = "../../../fuzz/checks/invocation.rs"]
mod invocation;
#[path = "../../../fuzz/checks/snapshot.rs"]
mod snapshot;
#[path = "../../../fuzz/checks/telemetry.rs"]
mod telemetry;

use std::path::Path;

/// Runs a check on every input of a corpus.
fn run(corpus: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(corpus);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut n_inputs = 0;
    for file in files {
        let path = file.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
        // Told apart by name when one of them fails.
        println!("{}", path.display());
        check(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        n_inputs += 1;
    }
    assert!(n_inputs > 20, "only {n_inputs} inputs in {}", folder.display());
}

#[test]
fn invocations() {
    run("invocation", invocation::check);
}

#[test]
fn snapshots() {
    run("snapshot", snapshot::check);
}

#[test]
fn telemetry_messages() {
    run("telemetry", telemetry::check);
}
