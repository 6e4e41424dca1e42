//! What a training shows while it runs: a bar for each training, side by side.
//!
//! Passes enter, lines on the terminal leave; where there is no terminal, a line when a training ends.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::pool::Folds;
use crate::train::{Pass, TrainOptions};

/// The bars of all trainings of one command.
#[derive(Debug)]
pub struct Bars {
    bars: Vec<ProgressBar>,
    is_hidden: bool,
}

impl Bars {
    /// Makes bars for training with so many measured series.
    #[must_use]
    pub fn new(options: &TrainOptions, n_series: usize) -> Self {
        let together = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let is_hidden = together.is_hidden();
        let n_folds = Folds::deal(options.recipe.seed, n_series).n_folds;
        let bars = (0..n_folds).map(|_| together.add(bar(options.recipe.n_epochs))).collect();
        Self { bars, is_hidden }
    }

    /// Shows a pass.
    pub fn show(&self, pass: &Pass) {
        let Some(bar) = self.bars.get(pass.fold) else {
            return;
        };
        let errors = format!(
            "training error {:.4}, validation error {:.4}",
            pass.epoch.training_error, pass.epoch.validation_error
        );
        if self.is_hidden && pass.is_last {
            eprintln!("training {} of {}: {} passes, {errors}", pass.fold + 1, pass.n_folds, pass.n + 1);
        }
        bar.set_position(pass.n as u64 + 1);
        bar.set_message(errors);
        if pass.is_last {
            bar.abandon();
        }
    }

    /// Leaves the bars as they are.
    pub fn finish(&self) {
        for bar in &self.bars {
            bar.abandon();
        }
    }
}

fn bar(n_epochs: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} pass {pos}/{len}, {elapsed} gone, {msg}");
    let bar = ProgressBar::new(n_epochs as u64);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
