//! Measures the shipped detector: all gates in one table, beside random cut forest and the figures of others.
//!
//! Folders of labelled series and of referee scripts enter, a table leaves.
//! It refuses to know how anything is detected or scored: the trainer replays, the referees judge, this starts them
//! and reads what they print.

mod referee;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::command;
use crate::workspace::Workspace;
use referee::Referee;
use table::Figures;

/// The NAB files that are temperatures; both in degrees Fahrenheit.
const TEMPERATURES: [&str; 2] = ["ambient_temperature_system_failure", "machine_temperature_system_failure"];

/// Options of `evaluate`.
#[derive(Args)]
pub(crate) struct Options {
    /// Folder with nab/, clean/, lro/ and labels.json.
    #[arg(long)]
    data: PathBuf,
    /// Folder with nab_score.py, fault_bench.py and fault_score.py.
    #[arg(long)]
    referee: PathBuf,
    /// Folder of the model to measure.
    #[arg(long, default_value = "model")]
    model: PathBuf,
    /// Python with numpy and pandas.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Seed of the faults that are injected.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leaves random cut forest out.
    #[arg(long)]
    no_baseline: bool,
}

/// A set of series that is replayed in one go.
struct Set {
    name: &'static str,
    unit: &'static str,
    files: Vec<PathBuf>,
}

/// Replays, asks the referees, and prints the table.
///
/// # Errors
///
/// When series or referees are missing, or one of the programs fails.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    command::run(&mut command::cargo(
        workspace,
        &["build", "--release", "--workspace", "--exclude", "handler", "--bin", "trainer"],
    ))?;
    let work = workspace.build().join("evaluate");
    let referee = Referee { python: &options.python, scripts: &options.referee, data: &options.data };
    let benches = [work.join("faults-synthetic"), work.join("faults-real")];
    referee.inject(options.seed, &benches)?;
    let sets = sets(&options.data, &benches)?;
    let shipped = figures(workspace, options, &sets, &referee, &work, Detector::Shipped)?;
    let baseline = match options.no_baseline {
        true => None,
        false => Some(figures(workspace, options, &sets, &referee, &work, Detector::Forest)?),
    };
    print!("{}", table::render(&shipped, baseline.as_ref()));
    Ok(())
}

/// Whose alerts are measured.
#[derive(Clone, Copy)]
enum Detector {
    Shipped,
    Forest,
}

fn sets(data: &Path, benches: &[PathBuf; 2]) -> Result<Vec<Set>> {
    let is_temperature =
        |file: &PathBuf| TEMPERATURES.iter().any(|name| file.file_stem().is_some_and(|stem| stem == *name));
    let (temperatures, others) = csv_files(&data.join("nab"))?.into_iter().partition(is_temperature);
    let sets = vec![
        Set { name: "nab-temperatures", unit: "fahrenheit", files: temperatures },
        Set { name: "nab-others", unit: "none", files: others },
        Set { name: "clean", unit: "celsius", files: csv_files(&data.join("clean"))? },
        Set { name: "lro", unit: "celsius", files: csv_files(&data.join("lro"))? },
        Set { name: "faults-synthetic", unit: "celsius", files: csv_files(&benches[0])? },
        Set { name: "faults-real", unit: "celsius", files: csv_files(&benches[1])? },
    ];
    for set in &sets {
        ensure!(!set.files.is_empty(), "no series for {} below {}", set.name, data.display());
    }
    Ok(sets)
}

/// The CSV files in a folder and those below it, in order of their paths.
fn csv_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.is_dir() {
            files.extend(csv_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "csv") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn figures(
    workspace: &Workspace,
    options: &Options,
    sets: &[Set],
    referee: &Referee<'_>,
    work: &Path,
    detector: Detector,
) -> Result<Figures> {
    let out = work.join(match detector {
        Detector::Shipped => "shipped",
        Detector::Forest => "forest",
    });
    for set in sets {
        let mut trainer = std::process::Command::new(workspace.program("release", "trainer"));
        trainer.current_dir(workspace.root()).arg("backtest").args(["--unit", set.unit]);
        trainer.arg("--model").arg(&options.model).arg("--out").arg(out.join(set.name));
        if matches!(detector, Detector::Forest) {
            trainer.arg("--baseline");
        }
        print!("{}: {}", set.name, command::output(trainer.args(&set.files))?);
    }
    referee.measure(&out, work)
}
