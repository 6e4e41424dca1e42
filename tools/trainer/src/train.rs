//! The command `train`: from a seed to the two files of a model.
//!
//! Options and measured series enter, the bytes of both files and what the report shows leave.
//! It reads no clock, no file and no environment.

use anyhow::{Context, Result, ensure};
use detector::{WINDOW_LENGTH, round_significant};
use rayon::prelude::*;
use wire::model_card::{
    Architecture, FORMAT, FamilyMetrics, Metrics, ModelCard, Normalization, Policies, PolicyName, Training,
    TrainingData, sha256_hex,
};

use crate::calibrate::{ASSUMED, FleetErrors, USUAL, quantile, weighted_quantile};
use crate::fit::{Epoch, Fitted, Recipe};
use crate::fleet::{Fleet, FleetSize, FleetWindows};
use crate::measured::MeasuredSeries;
use crate::network::ACTIVATION_LIMIT;
use crate::pool::Folds;
use crate::split::{SeriesErrors, Sources, Split, weighted};

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
    /// Share of the windows that is of measured series, if there are any; above 0, at most 1.
    pub share: f64,
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
            share: 0.5,
        }
    }
}

/// A pass of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass {
    /// Trainings in all: one for each fold of measured series.
    pub n_folds: usize,
    /// Which of them, counted from 0; the first is the one that is kept.
    pub fold: usize,
    /// Which pass, counted from 0.
    pub n: usize,
    /// Its errors.
    pub epoch: Epoch,
    /// Whether it is the training's last.
    pub is_last: bool,
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
    /// Errors on the windows of the training fleet.
    pub training_errors: FleetErrors,
    /// Windows of the validation fleet.
    pub windows: FleetWindows,
    /// Errors on them.
    pub errors: FleetErrors,
    /// What became of measured series, in their order.
    pub series: Vec<SeriesOutcome>,
    /// All trainings, the one that is kept first.
    pub folds: Vec<FoldOutcome>,
}

/// What became of a measured series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesOutcome {
    /// Stem of its file.
    pub name: String,
    /// Readings in it.
    pub n_readings: usize,
    /// Rows whose value is none.
    pub n_skipped: usize,
    /// Fold in which it was held out, counted from 0.
    pub fold: usize,
    /// Errors of the network that had never seen it.
    pub held_out: SeriesErrors,
    /// Errors of the network that is kept, if it was fitted on this series.
    pub fitted_on: Option<SeriesErrors>,
}

/// One training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoldOutcome {
    /// Passes.
    pub n_epochs: usize,
    /// The one whose weights were kept, counted from 1.
    pub best_epoch: usize,
    /// Its errors.
    pub best: Epoch,
}

/// Trains a model on simulated devices and on measured series, if there are any, and tells `progress` about each
/// pass.
///
/// Measured series are held out in folds, each with all its windows, and a network is trained for each fold.
/// The first is the model; it was stopped by the series that it did not see.
/// The others say what to expect on the series that the first was fitted on.
///
/// # Errors
///
/// When fitting fails, or the exported model does not do what the fitted network does.
pub fn train(
    options: &TrainOptions,
    series: &[MeasuredSeries],
    progress: &(dyn Fn(Pass) + Sync),
) -> Result<Trained> {
    let seed = options.recipe.seed;
    ensure!(
        options.share > 0.0 && options.share <= 1.0,
        "a share of {} is not above 0 and at most 1",
        options.share
    );
    let sources = Sources {
        options,
        training: Fleet::simulate(seed, options.training)?,
        validation: Fleet::simulate(seed ^ VALIDATION, options.validation)?,
        series,
        folds: Folds::deal(seed, series.len()),
    };
    let n_folds = sources.folds.n_folds;
    let train_without = |fold| {
        let mut best = (0, f64::INFINITY);
        sources.train_without(fold, &mut |n, epoch| {
            if epoch.validation_error < best.1 {
                best = (n, epoch.validation_error);
            }
            let is_last = n + 1 == options.recipe.n_epochs || n - best.0 >= options.recipe.patience;
            progress(Pass { n_folds, fold, n, epoch, is_last });
        })
    };
    let splits: Vec<Split> = (0..n_folds).into_par_iter().map(train_without).collect::<Result<_>>()?;
    let series = outcomes(&sources, &splits);
    let folds = splits.iter().map(|split| describe_fold(&split.fitted)).collect::<Result<Vec<_>>>()?;
    let kept = splits.into_iter().next().context("nothing was trained")?;
    let card = describe(&sources, &kept, &series, folds[0]);
    Ok(Trained {
        card_json: card.to_json()?,
        card,
        onnx: kept.onnx,
        epochs: kept.fitted.epochs,
        training_errors: kept.training_errors,
        windows: kept.windows,
        errors: kept.errors,
        series,
        folds,
    })
}

fn outcomes(sources: &Sources<'_>, splits: &[Split]) -> Vec<SeriesOutcome> {
    let of_series = sources.series.iter().zip(&sources.folds.of_series).enumerate();
    let outcome = |(n, (series, fold)): (usize, (&MeasuredSeries, &usize))| SeriesOutcome {
        name: series.name.clone(),
        n_readings: series.readings.len(),
        n_skipped: series.n_skipped,
        fold: *fold,
        held_out: splits[*fold].series[n].clone(),
        fitted_on: (*fold != 0).then(|| splits[0].series[n].clone()),
    };
    of_series.map(outcome).collect()
}

fn describe_fold(fitted: &Fitted) -> Result<FoldOutcome> {
    let best = fitted.epochs.get(fitted.best).context("fitting made no pass")?;
    Ok(FoldOutcome { n_epochs: fitted.epochs.len(), best_epoch: fitted.best + 1, best: *best })
}

fn describe(sources: &Sources<'_>, kept: &Split, series: &[SeriesOutcome], fold: FoldOutcome) -> ModelCard {
    let recipe = &sources.options.recipe;
    let onnx_sha256 = sha256_hex(&kept.onnx);
    let n_held_out = series.iter().filter(|series| series.fold == 0).count();
    let mut families: Vec<FamilyMetrics> = kept.errors.by_family().iter().map(describe_family).collect();
    families.extend(describe_measured(series));
    ModelCard {
        format: FORMAT,
        version: format!("seed{}-{}", recipe.seed, &onnx_sha256[..8]),
        trainer_version: env!("CARGO_PKG_VERSION").to_owned(),
        onnx_sha256,
        window_length: WINDOW_LENGTH,
        normalization: Normalization {
            how: "by the mean and the spread that the device itself has learned, the prior spread counting for its \
                  first readings"
                .to_owned(),
            prior_spread: kept.prior_spread,
        },
        error_quantile: round_significant(error_quantile(sources, kept, series)),
        policies: Policies { default: PolicyName::Calibrated, fixed_threshold: FIXED_THRESHOLD },
        architecture: Architecture {
            layers: recipe.layers.clone(),
            activation: format!("clip to -{ACTIVATION_LIMIT}..{ACTIVATION_LIMIT}, no biases, linear output"),
            n_weights: kept.weights.iter().map(|layer| layer.values.len()).sum(),
        },
        data: TrainingData {
            description: describe_data(sources),
            n_training_devices: sources.training.n_devices() + series.len() - n_held_out,
            n_validation_devices: sources.validation.n_devices() + n_held_out,
            n_windows: kept.fitted_on.len() / WINDOW_LENGTH,
            windows_sha256: hash_windows(&kept.fitted_on, &kept.stopped_by),
        },
        training: describe_training(recipe, fold),
        metrics: Metrics {
            training_error: round_significant(fold.best.training_error),
            validation_error: round_significant(fold.best.validation_error),
            families,
        },
    }
}

/// What error is usual for an unknown device.
///
/// Measured series count by the errors of networks that had not seen them, simulated ones beside them by those of
/// the validation fleet.
fn error_quantile(sources: &Sources<'_>, kept: &Split, series: &[SeriesOutcome]) -> f64 {
    if series.is_empty() {
        return kept.training_errors.usual();
    }
    let known = series.iter().map(|series| &series.held_out.usual).filter(|errors| !errors.is_empty());
    let measured: Vec<f64> = known.map(|errors| quantile(errors, USUAL)).collect();
    let devices = weighted(&kept.errors.usual_of_devices(), &measured, sources.options.share);
    weighted_quantile(&devices, ASSUMED)
}

fn describe_data(sources: &Sources<'_>) -> String {
    let synthetic = "synthetic devices of all families of the simulator, without faults";
    match sources.series.len() {
        0 => format!("{synthetic}; no measured series"),
        n => format!(
            "{synthetic}; beside them {n} measured series, which have {} of the windows, whole series held out in {} \
             folds",
            sources.options.share, sources.folds.n_folds
        ),
    }
}

fn hash_windows(training: &[f32], validation: &[f32]) -> String {
    let bytes: Vec<u8> = training.iter().chain(validation).flat_map(|value| value.to_le_bytes()).collect();
    sha256_hex(&bytes)
}

fn describe_training(recipe: &Recipe, fold: FoldOutcome) -> Training {
    Training {
        seed: recipe.seed,
        n_epochs: fold.n_epochs,
        best_epoch: fold.best_epoch,
        batch_size: recipe.batch_size,
        learning_rate: recipe.learning_rate,
        denoising: recipe.denoising,
        level_shifts: recipe.level_shifts,
        expected_limit: f64::from(recipe.expected_limit),
    }
}

fn describe_measured(series: &[SeriesOutcome]) -> Option<FamilyMetrics> {
    let errors: Vec<f64> = series.iter().flat_map(|series| &series.held_out.usual).copied().collect();
    (!errors.is_empty()).then(|| FamilyMetrics {
        family: "measured".to_owned(),
        median_error: round_significant(quantile(&errors, 0.5)),
        quantile_99: round_significant(quantile(&errors, USUAL)),
    })
}

fn describe_family((family, errors): &(simulator::Family, Vec<f64>)) -> FamilyMetrics {
    FamilyMetrics {
        family: family.name().to_owned(),
        median_error: round_significant(quantile(errors, 0.5)),
        quantile_99: round_significant(quantile(errors, 0.99)),
    }
}
