//! The trainer's command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use trainer::backtest::{self, Model, Request};
use trainer::measured::Measured;
use trainer::progress::Bars;
use trainer::report;
use trainer::series::Unit;
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
    /// Fits and calibrates a model on synthetic devices and on measured series, writes it, and reports on it.
    Train(TrainArgs),
    /// Replays CSV files through the code that serves, and writes scores and alerts.
    Backtest(BacktestArgs),
}

#[derive(Debug, Args)]
struct TrainArgs {
    /// Seed of everything random; the same seed gives the same files.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Folder of CSV files with the columns timestamp,value[,label], one a device, to train on beside simulated ones.
    #[arg(long)]
    data: Option<PathBuf>,
    /// In what the values of these files are: celsius or fahrenheit.
    #[arg(long, value_enum, default_value_t = Unit::Celsius, requires = "data")]
    unit: Unit,
    /// Share of the training windows that comes from these files, all counting alike; 1 leaves simulated ones out.
    #[arg(long, default_value_t = 0.5, requires = "data", value_parser = share)]
    share: f64,
    /// Folder for autoencoder.onnx and model_card.json.
    #[arg(long, default_value = "model")]
    out: PathBuf,
    /// Folder for the report.
    #[arg(long, default_value = "target/trainer-report")]
    report: PathBuf,
}

#[derive(Debug, Args)]
struct BacktestArgs {
    /// Folder for series/, alerts.csv and plots/.
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
    /// Draws each series with what became of it: plots/<stem>.svg.
    #[arg(long)]
    plot: bool,
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
    let options = TrainOptions { share: args.share, ..TrainOptions::standard(args.seed) };
    let measured = match &args.data {
        Some(folder) => Measured::read(folder, args.unit)?,
        None => Measured::default(),
    };
    if args.data.is_some() {
        println!("{} series to train on{}", measured.series.len(), measured.reasons());
    }
    let bars = Bars::new(&options, measured.series.len());
    let trained = train(&options, &measured.series, &|pass| bars.show(&pass))?;
    bars.finish();
    write_model(&args.out, &trained)?;
    let page = report::write(&args.report, &trained, &measured.left_out)?;
    println!("wrote {} and {}", args.out.display(), page.display());
    print!("{}", report::summary(&trained.card));
    Ok(())
}

fn run_backtest(args: &BacktestArgs) -> Result<()> {
    let request = Request { unit: args.unit, files: &args.files, out: &args.out, plot: args.plot };
    let summary = if args.baseline {
        backtest::run_baseline(request)?
    } else {
        backtest::run(&Model::load(&args.model)?, request)?
    };
    let backtest::Summary { n_files, n_rows, n_alerts } = summary;
    println!("{n_files} series, {n_rows} rows, {n_alerts} alerts: {}", args.out.display());
    Ok(())
}

/// A share is above 0 and at most 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("must be a number above 0 and at most 1".to_owned()),
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
