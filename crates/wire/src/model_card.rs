//! The model card: what the trainer says of an ONNX file, and what its reader must know to score with it.
//!
//! Bytes of `model/model_card.json` enter, a checked card leaves, or the reverse.
//! It holds no time of day: the same training gives the same bytes.
//! It refuses to know where files lie and how the network runs.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The only format of cards there is.
pub const FORMAT: u32 = 1;

/// Everything about a trained model that is not in its ONNX file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelCard {
    /// Format of this card, [`FORMAT`].
    pub format: u32,
    /// Short name of the model, as results quote it.
    pub version: String,
    /// Version of the trainer that wrote both files.
    pub trainer_version: String,
    /// SHA-256 of the ONNX file, in lower-case hexadecimal digits.
    pub onnx_sha256: String,
    /// Readings in a window.
    pub window_length: usize,
    /// How temperatures become a window's values.
    pub normalization: Normalization,
    /// 99 % quantile of reconstruction errors, in normalized units, that is assumed of a device until its own is
    /// known: for nine tenths of the training fleet it is no greater.
    pub error_quantile: f64,
    /// Policies and their thresholds.
    pub policies: Policies,
    /// The network.
    pub architecture: Architecture,
    /// What it was trained on.
    pub data: TrainingData,
    /// How it was trained.
    pub training: Training,
    /// How well it does.
    pub metrics: Metrics,
}

/// How temperatures become a window's values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Normalization {
    /// In a sentence.
    pub how: String,
    /// Spread in degrees Celsius that is assumed of a device before its own is learned.
    pub prior_spread: f64,
}

/// Policies and their thresholds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policies {
    /// Name of the policy that judges unless a setting says otherwise.
    pub default: PolicyName,
    /// Squared error of the newest value above which the policy `fixed` sees an anomaly, in its normalized units.
    pub fixed_threshold: f64,
}

/// Name of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyName {
    /// The error divided by what is usual for the device.
    Calibrated,
    /// The original rule: one fixed band for all devices.
    Fixed,
}

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Architecture {
    /// Values in each layer, input and output included.
    pub layers: Vec<usize>,
    /// What is between the layers.
    pub activation: String,
    /// Trained numbers.
    pub n_weights: usize,
}

/// What the network was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainingData {
    /// In a sentence.
    pub description: String,
    /// Devices whose windows were trained on.
    pub n_training_devices: usize,
    /// Other devices, which decided when to stop.
    pub n_validation_devices: usize,
    /// Windows trained on.
    pub n_windows: usize,
    /// SHA-256 of all windows as little-endian floats, training before validation.
    pub windows_sha256: String,
}

/// How the network was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Training {
    /// Seed of everything random.
    pub seed: u64,
    /// Passes over the training windows.
    pub n_epochs: usize,
    /// The pass whose weights were kept, counted from 1.
    pub best_epoch: usize,
    /// Windows a step.
    pub batch_size: usize,
    /// Step size of the optimizer at the start.
    pub learning_rate: f64,
    /// Standard deviation of the noise added to inputs, in normalized units.
    pub denoising: f64,
    /// Share of windows that were moved up or down as a whole.
    pub level_shifts: f64,
    /// Normalized units beyond which the network was taught to expect no value.
    pub expected_limit: f64,
}

/// How well the network does, in normalized units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metrics {
    /// Mean squared error over the training windows, moved and noisy as they were fitted.
    pub training_error: f64,
    /// Mean squared error over the validation windows.
    pub validation_error: f64,
    /// Reconstruction errors by family of devices, all windows of the validation fleet included.
    pub families: Vec<FamilyMetrics>,
}

/// Reconstruction errors of one family of devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FamilyMetrics {
    /// Name of the family.
    pub family: String,
    /// Median.
    pub median_error: f64,
    /// 99 % quantile.
    pub quantile_99: f64,
}

/// Why a model card cannot be used.
#[derive(Debug, Error)]
pub enum CardError {
    /// It is not JSON, or not a card.
    #[error("the model card cannot be read; write it again with the trainer")]
    Unreadable(#[from] serde_json::Error),
    /// It is of another time.
    #[error("the model card has format {0}, and this program reads {FORMAT} only; use files of one release")]
    Format(u32),
    /// A number in it cannot be.
    #[error("the model card's {field} is {found}, and must be {expected}")]
    Value {
        /// Path of the field.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// It speaks of another ONNX file.
    #[error(
        "the onnx file has the sha-256 {found}, and the model card wants {expected}; deploy both files of one training"
    )]
    OtherModel {
        /// Hash in the card.
        expected: String,
        /// Hash of the file.
        found: String,
    },
}

impl ModelCard {
    /// Reads a card and checks each number that scoring rests on.
    ///
    /// # Errors
    ///
    /// [`CardError`] says which field is wrong, and what it must hold.
    pub fn parse(json: &[u8]) -> Result<Self, CardError> {
        let card: Self = serde_json::from_slice(json)?;
        card.check()?;
        Ok(card)
    }

    /// Writes the card, always the same bytes for the same card, with a line feed at the end.
    ///
    /// # Errors
    ///
    /// [`CardError::Value`] when the card could not be read back.
    pub fn to_json(&self) -> Result<Vec<u8>, CardError> {
        self.check()?;
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Makes sure that the card speaks of this ONNX file.
    ///
    /// # Errors
    ///
    /// [`CardError::OtherModel`] when the file's hash is another one.
    pub fn verify(&self, onnx: &[u8]) -> Result<(), CardError> {
        let found = sha256_hex(onnx);
        if found == self.onnx_sha256 {
            return Ok(());
        }
        Err(CardError::OtherModel { expected: self.onnx_sha256.clone(), found })
    }

    fn check(&self) -> Result<(), CardError> {
        if self.format != FORMAT {
            return Err(CardError::Format(self.format));
        }
        if self.window_length == 0 {
            return Err(CardError::Value {
                field: "windowLength",
                found: "0".to_owned(),
                expected: "at least 1",
            });
        }
        check_positive("normalization.priorSpread", self.normalization.prior_spread)?;
        check_positive("errorQuantile", self.error_quantile)?;
        check_positive("policies.fixedThreshold", self.policies.fixed_threshold)?;
        check_hash("onnxSha256", &self.onnx_sha256)?;
        check_hash("data.windowsSha256", &self.data.windows_sha256)
    }
}

/// SHA-256 in lower-case hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check_positive(field: &'static str, value: f64) -> Result<(), CardError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(CardError::Value { field, found: value.to_string(), expected: "a finite number above 0" })
}

fn check_hash(field: &'static str, value: &str) -> Result<(), CardError> {
    if value.len() == 64 && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(());
    }
    Err(CardError::Value { field, found: format!("{value:?}"), expected: "64 lower-case hexadecimal digits" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn card() -> Value {
        json!({
            "format": 1,
            "version": "a",
            "trainerVersion": "0.1.0",
            "onnxSha256": sha256_hex(b"onnx"),
            "windowLength": 32,
            "normalization": { "how": "by the device itself", "priorSpread": 1.5 },
            "errorQuantile": 0.4,
            "policies": { "default": "calibrated", "fixedThreshold": 0.01 },
            "architecture": { "layers": [32, 4, 32], "activation": "softsign", "nWeights": 256 },
            "data": {
                "description": "synthetic",
                "nTrainingDevices": 2,
                "nValidationDevices": 1,
                "nWindows": 100,
                "windowsSha256": sha256_hex(b"windows")
            },
            "training": {
                "seed": 7, "nEpochs": 3, "bestEpoch": 2, "batchSize": 64, "learningRate": 0.001,
                "denoising": 0.05, "levelShifts": 0.3, "expectedLimit": 2.0
            },
            "metrics": {
                "trainingError": 0.1,
                "validationError": 0.11,
                "families": [{ "family": "room", "medianError": 0.05, "quantile99": 0.4 }]
            }
        })
    }

    fn with(path: &str, value: Value) -> Vec<u8> {
        let mut card = card();
        *card.pointer_mut(path).unwrap() = value;
        card.to_string().into_bytes()
    }

    /// The message and those of its causes.
    fn chain(error: &CardError) -> String {
        use std::error::Error as _;
        error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
    }

    #[test]
    fn a_card_survives_writing_and_reading() {
        let read = ModelCard::parse(card().to_string().as_bytes()).unwrap();
        let written = read.to_json().unwrap();
        assert_eq!(ModelCard::parse(&written).unwrap(), read);
        assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), card());
        assert_eq!(written.last(), Some(&b'\n'));
    }

    #[test]
    fn the_hash_tells_one_model_from_another() {
        let card = ModelCard::parse(card().to_string().as_bytes()).unwrap();
        card.verify(b"onnx").unwrap();
        let error = card.verify(b"other").unwrap_err().to_string();
        assert!(error.contains(&sha256_hex(b"other")) && error.contains(&sha256_hex(b"onnx")), "{error}");
    }

    #[test]
    fn sha256_is_the_standards() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_wrong_card_is_refused_by_the_name_of_what_is_wrong() {
        for (json, says) in [
            (with("/format", json!(2)), "format 2"),
            (with("/windowLength", json!(0)), "windowLength is 0"),
            (with("/normalization/priorSpread", json!(0.0)), "normalization.priorSpread is 0"),
            (with("/errorQuantile", json!(-1.0)), "errorQuantile is -1"),
            (with("/policies/fixedThreshold", json!(-0.0)), "policies.fixedThreshold"),
            (with("/policies/default", json!("guess")), "unknown variant `guess`"),
            (with("/onnxSha256", json!("AB")), "onnxSha256 is \"AB\""),
            (with("/metrics", json!({ "trainingError": 1, "surprise": 2 })), "unknown field `surprise`"),
            (b"{}".to_vec(), "missing field"),
            (Vec::new(), "EOF"),
        ] {
            let message = chain(&ModelCard::parse(&json).unwrap_err());
            assert!(message.contains(says), "{message:?} does not say {says:?}");
        }
    }
}
