//! Fitting: adjusts a network until a fleet that it was not fitted on is reconstructed no better.
//!
//! Windows and a recipe enter, the network of the best pass and the course of the errors leave.
//! It refuses to know where windows come from and where weights go.
//! Everything random is drawn from the seed, and every sum has a fixed order: the same call gives the same weights.

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};
use simulator::random::Draws;

use crate::network::Network;

/// Streams of random numbers.
const SHUFFLING: u64 = 0x7368_7566;
const CORRUPTING: u64 = 0x636f_7272;
/// Standard deviation of the moves of whole windows, in normalized units.
const LEVEL_SHIFT_SPREAD: f64 = 3.0;

/// How to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Seed of everything random.
    pub seed: u64,
    /// Sizes of the layers, input and output included.
    pub layers: Vec<usize>,
    /// Passes over the training windows at most.
    pub n_epochs: usize,
    /// Passes without a better validation error after which fitting ends.
    pub patience: usize,
    /// Windows a step.
    pub batch_size: usize,
    /// Step size at the start; it falls to a hundredth in a straight line.
    pub learning_rate: f64,
    /// Standard deviation of the noise added to inputs, in normalized units.
    pub denoising: f64,
    /// Share of windows that are moved up or down as a whole.
    pub level_shifts: f64,
    /// Normalized units beyond which no value is ever expected: moved windows are to be reconstructed as far as
    /// this and no farther, so that a level out of range stands out.
    pub expected_limit: f32,
}

/// Errors after one pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Mean squared error over the training windows, corrupted as they were fitted.
    pub training_error: f64,
    /// Mean squared error over the validation windows, which are neither moved nor noisy; as in training, no value
    /// beyond the expected limit is expected.
    pub validation_error: f64,
}

/// What fitting gives.
#[derive(Debug)]
pub struct Fitted {
    /// The network with the weights of the best pass.
    pub network: Network,
    /// All passes.
    pub epochs: Vec<Epoch>,
    /// The best of them, counted from 0.
    pub best: usize,
}

/// Fits a network to reconstruct `training`, and tells `progress` about each pass.
///
/// # Errors
///
/// When there are no windows, or candle fails.
pub fn fit(
    recipe: &Recipe,
    training: &[f32],
    validation: &[f32],
    progress: &mut dyn FnMut(usize, Epoch),
) -> Result<Fitted> {
    let length = *recipe.layers.first().context("a network without layers cannot be fitted")?;
    ensure!(training.len() >= length && validation.len() >= length, "there are no windows to fit on");
    let network = Network::draw(&recipe.layers, recipe.seed)?;
    let mut optimizer = AdamW::new(
        network.variables(),
        ParamsAdamW { lr: recipe.learning_rate, weight_decay: 0.0, ..ParamsAdamW::default() },
    )?;
    let mut batches = Batches::new(recipe, training, length);
    let validation = Tensor::from_slice(validation, (validation.len() / length, length), &Device::Cpu)?;
    let expected = validation.clamp(-recipe.expected_limit, recipe.expected_limit)?;
    let mut epochs: Vec<Epoch> = Vec::new();
    let (mut best, mut kept) = (0, network.weights()?);
    for n in 0..recipe.n_epochs {
        optimizer.set_learning_rate(recipe.learning_rate * falling(n, recipe.n_epochs));
        let training_error = run_epoch(&network, &mut optimizer, &mut batches)?;
        let validation_error = mean_squared_error(&network, &validation, &expected)?.to_scalar::<f32>()?;
        let epoch = Epoch { training_error, validation_error: f64::from(validation_error) };
        ensure!(epoch.validation_error.is_finite(), "pass {} went astray: its error is not finite", n + 1);
        epochs.push(epoch);
        progress(n, epoch);
        if n == 0 || epoch.validation_error < epochs[best].validation_error {
            (best, kept) = (n, network.weights()?);
        } else if n - best >= recipe.patience {
            break;
        }
    }
    network.restore(&kept)?;
    Ok(Fitted { network, epochs, best })
}

fn run_epoch(network: &Network, optimizer: &mut AdamW, batches: &mut Batches<'_>) -> Result<f64> {
    let (mut sum, mut n_steps) = (0.0, 0.0);
    batches.shuffle();
    for at in 0..batches.n_batches() {
        let (clean, corrupted) = batches.get(at)?;
        let loss = mean_squared_error(network, &corrupted, &clean)?;
        optimizer.backward_step(&loss)?;
        sum += f64::from(loss.to_scalar::<f32>()?);
        n_steps += 1.0;
    }
    Ok(sum / n_steps)
}

fn mean_squared_error(network: &Network, input: &Tensor, expected: &Tensor) -> candle_core::Result<Tensor> {
    (network.forward(input)? - expected)?.sqr()?.mean_all()
}

/// A straight line from 1 down to a hundredth.
fn falling(n: usize, of: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of passes are small")]
    let share = n as f64 / of.max(1) as f64;
    1.0 - 0.99 * share
}

/// Training windows in random order, clean and corrupted.
struct Batches<'a> {
    windows: &'a [f32],
    length: usize,
    recipe: &'a Recipe,
    order: Vec<usize>,
    shuffling: Draws,
    corrupting: Draws,
}

impl<'a> Batches<'a> {
    fn new(recipe: &'a Recipe, windows: &'a [f32], length: usize) -> Self {
        Self {
            windows,
            length,
            recipe,
            order: (0..windows.len() / length).collect(),
            shuffling: Draws::new(recipe.seed, SHUFFLING),
            corrupting: Draws::new(recipe.seed, CORRUPTING),
        }
    }

    fn batch_size(&self) -> usize {
        self.recipe.batch_size.max(1)
    }

    fn n_batches(&self) -> usize {
        self.order.len().div_ceil(self.batch_size())
    }

    /// Fisher and Yates.
    fn shuffle(&mut self) {
        for left in (2..=self.order.len()).rev() {
            let chosen = usize::try_from(self.shuffling.bits() % left as u64).unwrap_or(0);
            self.order.swap(left - 1, chosen);
        }
    }

    fn get(&mut self, at: usize) -> Result<(Tensor, Tensor)> {
        let from = at * self.batch_size();
        let to = (from + self.batch_size()).min(self.order.len());
        let mut clean = Vec::with_capacity((to - from) * self.length);
        for row in &self.order[from..to] {
            clean.extend_from_slice(&self.windows[row * self.length..(row + 1) * self.length]);
        }
        let mut corrupted = clean.clone();
        for (clean, corrupted) in clean.chunks_mut(self.length).zip(corrupted.chunks_mut(self.length)) {
            corrupt(self.recipe, &mut self.corrupting, clean, corrupted);
        }
        let shape = (to - from, self.length);
        Ok((Tensor::from_vec(clean, shape, &Device::Cpu)?, Tensor::from_vec(corrupted, shape, &Device::Cpu)?))
    }
}

/// Turns two copies of a window into what is expected and what is shown.
#[expect(clippy::cast_possible_truncation, reason = "a window is f32")]
fn corrupt(recipe: &Recipe, draws: &mut Draws, expected: &mut [f32], shown: &mut [f32]) {
    let moved = draws.chance(recipe.level_shifts);
    let shift = if moved { (LEVEL_SHIFT_SPREAD * draws.normal()) as f32 } else { 0.0 };
    for (expected, shown) in expected.iter_mut().zip(shown) {
        *expected = (*expected + shift).clamp(-recipe.expected_limit, recipe.expected_limit);
        *shown += shift + (recipe.denoising * draws.normal()) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        Recipe {
            seed: 1,
            layers: vec![8, 8, 2, 8, 8],
            n_epochs: 12,
            patience: 12,
            batch_size: 32,
            learning_rate: 0.01,
            denoising: 0.05,
            level_shifts: 0.2,
            expected_limit: 2.0,
        }
    }

    /// Sines of one period and any phase and size: two numbers describe each.
    fn sines(seed: u64) -> Vec<f32> {
        let mut draws = Draws::new(seed, 0);
        let mut windows = Vec::new();
        for _ in 0..600 {
            let (phase, size) = (draws.between(0.0, 6.3), draws.between(0.2, 1.5));
            #[expect(clippy::cast_possible_truncation, reason = "a window is f32")]
            windows.extend((0..8).map(|n| (size * (phase + f64::from(n) * 0.7).sin()) as f32));
        }
        windows
    }

    #[test]
    fn it_learns_what_there_is_to_learn() {
        let recipe = Recipe { n_epochs: 60, patience: 60, level_shifts: 0.0, ..recipe() };
        let fitted = fit(&recipe, &sines(1), &sines(2), &mut |_, _| ()).unwrap();
        let (first, best) = (fitted.epochs[0].validation_error, fitted.epochs[fitted.best].validation_error);
        assert!(best < 0.1 * first, "{first} fell only to {best}");
    }

    #[test]
    fn a_level_out_of_range_is_not_reconstructed() {
        let recipe = Recipe { level_shifts: 0.5, n_epochs: 40, patience: 40, ..recipe() };
        let network = fit(&recipe, &sines(1), &sines(2), &mut |_, _| ()).unwrap().network;
        let mean_of = |level: f32| {
            let window = Tensor::from_vec(vec![level; 8], (1, 8), &Device::Cpu).unwrap();
            network.forward(&window).unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap()
        };
        assert!((mean_of(1.0) - 1.0).abs() < 0.3, "{}", mean_of(1.0));
        assert!(mean_of(6.0) < 3.0, "{}", mean_of(6.0));
    }

    #[test]
    fn the_weights_are_those_of_the_best_pass() {
        let recipe = Recipe { learning_rate: 0.3, patience: 2, ..recipe() };
        let fitted = fit(&recipe, &sines(1), &sines(2), &mut |_, _| ()).unwrap();
        let windows = Tensor::from_vec(sines(2), (600, 8), &Device::Cpu).unwrap();
        let error = mean_squared_error(&fitted.network, &windows, &windows).unwrap();
        let least = fitted.epochs.iter().map(|epoch| epoch.validation_error).fold(f64::MAX, f64::min);
        assert_eq!(f64::from(error.to_scalar::<f32>().unwrap()), least);
        assert!(fitted.epochs.len() <= fitted.best + 1 + recipe.patience);
    }

    #[test]
    fn a_seed_gives_the_same_weights_and_another_does_not() {
        let weights = |seed| {
            let recipe = Recipe { seed, n_epochs: 2, ..recipe() };
            fit(&recipe, &sines(1), &sines(2), &mut |_, _| ()).unwrap().network.weights().unwrap()
        };
        assert_eq!(weights(1), weights(1));
        assert_ne!(weights(1), weights(2));
    }

    #[test]
    fn nothing_cannot_be_fitted() {
        assert!(fit(&recipe(), &[], &sines(1), &mut |_, _| ()).is_err());
    }
}
