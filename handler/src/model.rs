//! The model's files: loaded and verified before the port is bound.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use autoencoder::Autoencoder;
use wire::model_card::ModelCard;

use crate::scoring::decide::Reconstruct;

/// The autoencoder and its card; one session for each worker that runs at the same time.
#[derive(Debug)]
pub struct Model {
    card: ModelCard,
    onnx: Arc<[u8]>,
    idle: Mutex<Vec<Autoencoder>>,
}

impl Model {
    /// Loads `model/` of the script root, and checks that card and ONNX file belong together.
    ///
    /// # Errors
    ///
    /// Names the file that is missing, damaged, or of another training.
    pub fn load(script_root: &Path) -> anyhow::Result<Self> {
        let folder = script_root.join("model");
        let card_path = folder.join("model_card.json");
        let card_json =
            std::fs::read(&card_path).with_context(|| format!("cannot read {}", card_path.display()))?;
        let card = ModelCard::parse(&card_json).with_context(|| card_path.display().to_string())?;
        let onnx_path = folder.join("autoencoder.onnx");
        let onnx =
            std::fs::read(&onnx_path).with_context(|| format!("cannot read {}", onnx_path.display()))?;
        card.verify(&onnx).with_context(|| onnx_path.display().to_string())?;
        anyhow::ensure!(
            card.window_length == detector::WINDOW_LENGTH,
            "{}: window length {} is not the detector's {}; train again with this release",
            card_path.display(),
            card.window_length,
            detector::WINDOW_LENGTH
        );
        let session =
            Autoencoder::load(&onnx, card.window_length).with_context(|| onnx_path.display().to_string())?;
        Ok(Self { card, onnx: onnx.into(), idle: Mutex::new(vec![session]) })
    }

    /// The model card.
    #[must_use]
    pub fn card(&self) -> &ModelCard {
        &self.card
    }
}

impl Reconstruct for Arc<Model> {
    fn reconstruct(&self, windows: &[f32]) -> anyhow::Result<Vec<f32>> {
        let mut reconstructions = Vec::with_capacity(windows.len());
        if windows.is_empty() {
            return Ok(reconstructions);
        }
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut session = match idle {
            Some(session) => session,
            None => Autoencoder::load(&self.onnx, self.card.window_length)
                .context("cannot open another session")?,
        };
        let result = session.reconstruct(windows, &mut reconstructions);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        result.context("the model cannot reconstruct a batch's windows")?;
        Ok(reconstructions)
    }
}
