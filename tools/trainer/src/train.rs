//! The command `train`: from a seed to the two files of a model.
//!
//! Options enter, the bytes of both files and what the report shows leave.
//! It reads no clock, no file and no environment.

use anyhow::{Context, Result};
use autoencoder::Autoencoder;
use detector::{WINDOW_LENGTH, round_significant};
use wire::model_card::{
    Architecture, FORMAT, FamilyMetrics, Metrics, ModelCard, Normalization, Policies, PolicyName, Training,
    TrainingData, sha256_hex,
};

use crate::calibrate::{FleetErrors, quantile};
use crate::fit::{Epoch, Fitted, Recipe, fit};
use crate::fleet::{Fleet, FleetSize, FleetWindows};
use crate::network::ACTIVATION_LIMIT;
use crate::onnx;

/// The original rule's threshold: squared error of the newest value.
const FIXED_THRESHOLD: f64 = 0.01;
/// Added to the seed for the fleet that decides when to stop.
const VALIDATION: u64 = 1 << 32;

/// What to train, and on how much.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// How to fit.
    pub recipe: Recipe,
    /// Fleet to fit on.
    pub training: FleetSize,
    /// Fleet that decides when to stop.
    pub validation: FleetSize,
}

impl TrainOptions {
    /// The options by which the committed model was made, but for the seed.
    #[must_use]
    pub fn standard(seed: u64) -> Self {
        Self {
            recipe: Recipe {
                seed,
                layers: vec![WINDOW_LENGTH, 32, 6, 32, WINDOW_LENGTH],
                n_epochs: 40,
                patience: 12,
                batch_size: 256,
                learning_rate: 0.002,
                denoising: 0.05,
                level_shifts: 0.3,
                expected_limit: 2.0,
            },
            training: FleetSize { n_devices: 60, n_readings: 1200 },
            validation: FleetSize { n_devices: 12, n_readings: 1200 },
        }
    }
}

/// A trained model, and what the report shows of it.
#[derive(Debug)]
pub struct Trained {
    /// Bytes of `autoencoder.onnx`.
    pub onnx: Vec<u8>,
    /// Bytes of `model_card.json`.
    pub card_json: Vec<u8>,
    /// The card itself.
    pub card: ModelCard,
    /// All passes.
    pub epochs: Vec<Epoch>,
    /// Windows of the validation fleet.
    pub windows: FleetWindows,
    /// Errors on them.
    pub errors: FleetErrors,
}

/// Trains a model, and tells `progress` about each pass.
///
/// # Errors
///
/// When fitting fails, or the exported model does not do what the fitted network does.
pub fn train(options: &TrainOptions, progress: &mut dyn FnMut(usize, Epoch)) -> Result<Trained> {
    let seed = options.recipe.seed;
    let training_fleet = Fleet::simulate(seed, options.training)?;
    let validation_fleet = Fleet::simulate(seed ^ VALIDATION, options.validation)?;
    let prior_spread = training_fleet.median_spread();
    let training = training_fleet.windows(prior_spread);
    let windows = validation_fleet.windows(prior_spread);

    let (fitted_on, stopped_by) = (training.within_range(), windows.within_range());
    let fitted = fit(&options.recipe, &fitted_on, &stopped_by, progress)?;
    let best = fitted.epochs.get(fitted.best).context("fitting made no pass")?;
    let weights = fitted.network.weights()?;
    let onnx = onnx::encode(&weights, ACTIVATION_LIMIT);
    let mut model = Autoencoder::load(&onnx, WINDOW_LENGTH).context("the exported model does not load")?;
    let training_errors = FleetErrors::measure(&mut model, &training)?;
    let errors = FleetErrors::measure(&mut model, &windows)?;

    let onnx_sha256 = sha256_hex(&onnx);
    let card = ModelCard {
        format: FORMAT,
        version: format!("seed{seed}-{}", &onnx_sha256[..8]),
        trainer_version: env!("CARGO_PKG_VERSION").to_owned(),
        onnx_sha256,
        window_length: WINDOW_LENGTH,
        normalization: Normalization {
            how: "by the mean and the spread that the device itself has learned, the prior spread counting for its \
                  first readings"
                .to_owned(),
            prior_spread,
        },
        error_quantile: round_significant(training_errors.usual()),
        policies: Policies { default: PolicyName::Calibrated, fixed_threshold: FIXED_THRESHOLD },
        architecture: Architecture {
            layers: options.recipe.layers.clone(),
            activation: format!("clip to -{ACTIVATION_LIMIT}..{ACTIVATION_LIMIT}, no biases, linear output"),
            n_weights: weights.iter().map(|layer| layer.values.len()).sum(),
        },
        data: TrainingData {
            description: "synthetic devices of all families of the simulator, without faults; no measured series"
                .to_owned(),
            n_training_devices: training_fleet.n_devices(),
            n_validation_devices: validation_fleet.n_devices(),
            n_windows: fitted_on.len() / WINDOW_LENGTH,
            windows_sha256: hash_windows(&fitted_on, &stopped_by),
        },
        training: describe_training(&options.recipe, &fitted),
        metrics: Metrics {
            training_error: round_significant(best.training_error),
            validation_error: round_significant(best.validation_error),
            families: errors.by_family().iter().map(describe_family).collect(),
        },
    };
    Ok(Trained { onnx, card_json: card.to_json()?, card, epochs: fitted.epochs, windows, errors })
}

fn hash_windows(training: &[f32], validation: &[f32]) -> String {
    let bytes: Vec<u8> = training.iter().chain(validation).flat_map(|value| value.to_le_bytes()).collect();
    sha256_hex(&bytes)
}

fn describe_training(recipe: &Recipe, fitted: &Fitted) -> Training {
    Training {
        seed: recipe.seed,
        n_epochs: fitted.epochs.len(),
        best_epoch: fitted.best + 1,
        batch_size: recipe.batch_size,
        learning_rate: recipe.learning_rate,
        denoising: recipe.denoising,
        level_shifts: recipe.level_shifts,
        expected_limit: f64::from(recipe.expected_limit),
    }
}

fn describe_family((family, errors): &(simulator::Family, Vec<f64>)) -> FamilyMetrics {
    FamilyMetrics {
        family: family.name().to_owned(),
        median_error: round_significant(quantile(errors, 0.5)),
        quantile_99: round_significant(quantile(errors, 0.99)),
    }
}
