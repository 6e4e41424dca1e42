//! The fuzzer's corpus of queries as an ordinary test.

use std::path::Path;

#[test]
fn queries() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/parameters");
    let mut n_inputs = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        // Told apart by name when one of them fails.
        println!("{}", path.display());
        crate::queries::check(&std::fs::read(&path).unwrap());
        n_inputs += 1;
    }
    assert!(n_inputs > 20, "only {n_inputs} inputs in {}", folder.display());
}
