//! A script root of a test's own: the model in `model/`, and nothing else.

use std::path::Path;

use tempfile::TempDir;

/// Copies the committed model to a new folder.
pub(crate) fn with_model() -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model");
    std::fs::create_dir(root.path().join("model")).expect("a folder");
    for file in ["autoencoder.onnx", "model_card.json"] {
        std::fs::copy(model.join(file), root.path().join("model").join(file)).expect("a copy");
    }
    root
}
