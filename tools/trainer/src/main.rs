//! The trainer's command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use trainer::backtest::{self, Model, Unit};
use trainer::report;
use trainer::train::{TrainOptions, Trained, train};

/// Trains the model that the handler scores with.
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fits and calibrates a model on synthetic devices, writes it, and reports on it.
    Train(TrainArgs),
    /// Replays CSV files through the code that serves, and writes scores and alerts.
    Backtest(BacktestArgs),
}

#[derive(Debug, Args)]
struct TrainArgs {
    /// Seed of everything random; the same seed gives the same files.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Folder for autoencoder.onnx and model_card.json.
    #[arg(long, default_value = "model")]
    out: PathBuf,
    /// Folder for the report.
    #[arg(long, default_value = "target/trainer-report")]
    report: PathBuf,
}

#[derive(Debug, Args)]
struct BacktestArgs {
    /// Folder for series/ and alerts.csv.
    #[arg(long)]
    out: PathBuf,
    /// In what the values are.
    #[arg(long, value_enum, default_value_t = Unit::Celsius)]
    unit: Unit,
    /// Folder of autoencoder.onnx and model_card.json.
    #[arg(long, default_value = "model")]
    model: PathBuf,
    /// Judges with random cut forest in place of the model, under the same cool-down: a baseline.
    #[arg(long)]
    baseline: bool,
    /// Series with the columns timestamp,value: each is a device of its own.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let result = match command_line.command {
        Command::Train(args) => run_train(&args),
        Command::Backtest(args) => run_backtest(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_train(args: &TrainArgs) -> Result<()> {
    let options = TrainOptions::standard(args.seed);
    let bar = progress_bar(options.recipe.n_epochs);
    let trained = train(&options, &mut |n, epoch| {
        bar.set_position(n as u64 + 1);
        bar.set_message(format!(
            "training error {:.4}, validation error {:.4}",
            epoch.training_error, epoch.validation_error
        ));
    })?;
    bar.finish();
    write_model(&args.out, &trained)?;
    let page = report::write(&args.report, &trained)?;
    println!("wrote {} and {}", args.out.display(), page.display());
    print!("{}", report::summary(&trained.card));
    Ok(())
}

fn run_backtest(args: &BacktestArgs) -> Result<()> {
    let summary = if args.baseline {
        backtest::run_baseline(args.unit, &args.files, &args.out)?
    } else {
        backtest::run(&Model::load(&args.model)?, args.unit, &args.files, &args.out)?
    };
    let backtest::Summary { n_files, n_rows, n_alerts } = summary;
    println!("{n_files} series, {n_rows} rows, {n_alerts} alerts: {}", args.out.display());
    Ok(())
}

fn progress_bar(n_epochs: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} pass {pos}/{len}, {elapsed} gone, {msg}");
    let bar = ProgressBar::new(n_epochs as u64);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn write_model(folder: &Path, trained: &Trained) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, bytes) in [("autoencoder.onnx", &trained.onnx), ("model_card.json", &trained.card_json)] {
        let path = folder.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
