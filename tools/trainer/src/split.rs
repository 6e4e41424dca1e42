//! One training: a network is fitted on all series but those held out, which stop it and measure it.
//!
//! Fleets, measured series and the fold that is held out enter, a network and its errors on every series leave.

use anyhow::{Context, Result};
use autoencoder::Autoencoder;
use detector::{WINDOW_LENGTH, newest_error};

use crate::calibrate::{FleetErrors, weighted_quantile};
use crate::fit::{Epoch, Fitted, fit};
use crate::fleet::{Fleet, FleetWindows, STAND_IN_SPREAD, round_spread};
use crate::measured::{MeasuredSeries, SeriesWindows, Window};
use crate::network::ACTIVATION_LIMIT;
use crate::onnx::{self, Weights};
use crate::pool::{Folds, mix, quota};
use crate::train::TrainOptions;

/// Windows of a measured series by which its errors are known, if it has as many.
const LEAST_WINDOWS: f64 = 1000.0;
/// Added to the seed for the pool that decides when to stop.
const STOPPING: u64 = 1 << 33;

/// What all trainings of one command have in common.
pub(crate) struct Sources<'a> {
    pub(crate) options: &'a TrainOptions,
    pub(crate) training: Fleet,
    pub(crate) validation: Fleet,
    pub(crate) series: &'a [MeasuredSeries],
    pub(crate) folds: Folds,
}

/// A trained network, and what it makes of everything.
pub(crate) struct Split {
    pub(crate) fitted: Fitted,
    pub(crate) weights: Vec<Weights>,
    pub(crate) onnx: Vec<u8>,
    pub(crate) prior_spread: f64,
    pub(crate) fitted_on: Vec<f32>,
    pub(crate) stopped_by: Vec<f32>,
    pub(crate) training_errors: FleetErrors,
    pub(crate) windows: FleetWindows,
    pub(crate) errors: FleetErrors,
    /// Of each measured series, held out or not.
    pub(crate) series: Vec<SeriesErrors>,
}

/// Errors on the windows of one measured series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesErrors {
    /// On windows without labelled readings.
    pub usual: Vec<f64>,
    /// On windows whose newest reading is labelled.
    pub labelled: Vec<f64>,
    /// The usual window that is reconstructed worst.
    pub worst: Option<WorstWindow>,
    /// The spread that the device has learned in the end, in degrees Celsius.
    pub spread: f64,
}

/// A window beside its reconstruction.
#[derive(Debug, Clone, PartialEq)]
pub struct WorstWindow {
    /// Its error.
    pub error: f64,
    /// Time of its newest reading, in epoch milliseconds.
    pub newest_ms: i64,
    /// What was read, in degrees Celsius.
    pub seen: Vec<f64>,
    /// What the network expected, in degrees Celsius.
    pub expected: Vec<f64>,
}

impl Sources<'_> {
    /// Trains on everything but one fold, and tells `progress` about each pass.
    pub(crate) fn train_without(&self, fold: usize, progress: &mut dyn FnMut(usize, Epoch)) -> Result<Split> {
        let prior_spread = self.prior_spread(fold);
        let training = self.training.windows(prior_spread);
        let windows = self.validation.windows(prior_spread);
        let (fitted_on, stopped_by) = (training.within_range(), windows.within_range());
        let series = self.series_windows(prior_spread, fitted_on.len() / WINDOW_LENGTH);
        let (held_out, others) = self.divide(fold, &series);
        let (share, seed) = (self.options.share, self.options.recipe.seed);
        let fitted_on = mix(fitted_on, &others, share, seed);
        let stopped_by = mix(stopped_by, &held_out, share, seed ^ STOPPING);

        let fitted = fit(&self.options.recipe, &fitted_on, &stopped_by, progress)?;
        let weights = fitted.network.weights()?;
        let onnx = onnx::encode(&weights, ACTIVATION_LIMIT);
        let mut model =
            Autoencoder::load(&onnx, WINDOW_LENGTH).context("the exported model does not load")?;
        let training_errors = FleetErrors::measure(&mut model, &training)?;
        let errors = FleetErrors::measure(&mut model, &windows)?;
        let series =
            series.iter().map(|series| SeriesErrors::measure(&mut model, series)).collect::<Result<_>>()?;
        Ok(Split {
            fitted,
            weights,
            onnx,
            prior_spread,
            fitted_on,
            stopped_by,
            training_errors,
            windows,
            errors,
            series,
        })
    }

    /// The median of what devices spread, measured ones having their share; in degrees Celsius.
    fn prior_spread(&self, fold: usize) -> f64 {
        let spread = |series: &MeasuredSeries| series.windows(0, STAND_IN_SPREAD, 0).spread;
        let (_, others) = self.divide(fold, self.series);
        let measured: Vec<f64> = others.into_iter().map(spread).collect();
        if measured.is_empty() {
            return self.training.median_spread();
        }
        let spreads = weighted(&self.training.spreads(), &measured, self.options.share);
        round_spread(weighted_quantile(&spreads, 0.5))
    }

    fn series_windows(&self, prior_spread: f64, n_pool: usize) -> Vec<SeriesWindows> {
        let wanted = quota(self.options.share, n_pool, self.series.len()).max(LEAST_WINDOWS);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of windows")]
        let n_wanted = wanted.ceil() as usize;
        let seed = self.options.recipe.seed;
        self.series.iter().map(|series| series.windows(seed, prior_spread, n_wanted)).collect()
    }

    /// What is held out in a fold, and all else.
    fn divide<'a, T>(&self, fold: usize, all: &'a [T]) -> (Vec<&'a T>, Vec<&'a T>) {
        let (mut held_out, mut others) = (Vec::new(), Vec::new());
        for (one, of) in all.iter().zip(&self.folds.of_series) {
            if *of == fold { held_out.push(one) } else { others.push(one) }
        }
        (held_out, others)
    }
}

/// Figures of simulated devices and of measured series, weighted so that the measured ones have a share together.
pub(crate) fn weighted(simulated: &[f64], measured: &[f64], share: f64) -> Vec<(f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "counts of devices")]
    let each = |share: f64, of: &[f64]| share / of.len().max(1) as f64;
    let (light, heavy) = (each(1.0 - share, simulated), each(share, measured));
    let simulated = simulated.iter().map(|figure| (*figure, light));
    simulated.chain(measured.iter().map(|figure| (*figure, heavy))).collect()
}

impl SeriesErrors {
    fn measure(model: &mut Autoencoder, series: &SeriesWindows) -> Result<Self> {
        let (usual, expected) = errors_of(model, &series.usual)?;
        let (labelled, _) = errors_of(model, &series.labelled)?;
        let worst = (0..usual.len()).max_by(|one, other| usual[*one].total_cmp(&usual[*other]));
        let worst = worst.map(|n| {
            let window = &series.usual[n];
            let celsius =
                |values: &[f32]| values.iter().map(|value| window.scale.denormalize(*value)).collect();
            WorstWindow {
                error: usual[n],
                newest_ms: window.newest_ms,
                seen: celsius(&window.values),
                expected: celsius(&expected[n * WINDOW_LENGTH..(n + 1) * WINDOW_LENGTH]),
            }
        });
        Ok(Self { usual, labelled, worst, spread: series.spread })
    }
}

/// The error of each window, and all reconstructions one after the other.
fn errors_of(model: &mut Autoencoder, windows: &[Window]) -> Result<(Vec<f64>, Vec<f32>)> {
    let values: Vec<f32> = windows.iter().flat_map(|window| window.values).collect();
    let mut expected = Vec::new();
    model.reconstruct(&values, &mut expected)?;
    let pairs = values.chunks(WINDOW_LENGTH).zip(expected.chunks(WINDOW_LENGTH));
    Ok((pairs.map(|(seen, expected)| newest_error(seen, expected)).collect(), expected))
}
