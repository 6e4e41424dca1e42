//! The command `backtest`: replays series through the very code that serves.
//!
//! CSV files and the two files of a model enter; each file's scores, and the alerts of all, leave.
//! Each file is a device in a partition of its own.
//! It refuses to know what an anomaly is: it asks `detector`, as the handler does.

mod baseline;
mod plot;
mod replay;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use autoencoder::Autoencoder;
use detector::{Detector, Policy, Prior, WINDOW_LENGTH};
use rayon::prelude::*;
use wire::model_card::{ModelCard, PolicyName};

use crate::series::{Series, Unit, time_text};

pub use replay::{Judged, Opened};

/// The two files of a model, verified.
#[derive(Debug)]
pub struct Model {
    onnx: Vec<u8>,
    detector: Detector,
}

impl Model {
    /// Loads both files of a folder.
    ///
    /// # Errors
    ///
    /// Names the file that is missing, damaged, or of another training.
    pub fn load(folder: &Path) -> Result<Self> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let card = ModelCard::parse(&read("model_card.json")?)
            .with_context(|| format!("the model card in {} is wrong", folder.display()))?;
        let onnx = read("autoencoder.onnx")?;
        card.verify(&onnx).with_context(|| format!("the model in {} is wrong", folder.display()))?;
        ensure!(card.window_length == WINDOW_LENGTH, "the model in {} has other windows", folder.display());
        let policy = match card.policies.default {
            PolicyName::Calibrated => Policy::Calibrated,
            PolicyName::Fixed => Policy::Fixed { threshold: card.policies.fixed_threshold },
        };
        let prior = Prior { spread: card.normalization.prior_spread, error_quantile: card.error_quantile };
        Ok(Self { onnx, detector: Detector { policy, prior } })
    }

    /// The rules for values of a unit: what is assumed in degrees Celsius is nothing for other units.
    fn detector(&self, unit: Unit) -> Detector {
        match unit {
            Unit::Celsius | Unit::Fahrenheit => self.detector,
            Unit::None => {
                Detector { prior: Prior::unitless(self.detector.prior.error_quantile), ..self.detector }
            }
        }
    }

    fn session(&self) -> Result<Autoencoder> {
        Ok(Autoencoder::load(&self.onnx, WINDOW_LENGTH)?)
    }
}

/// What a backtest did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Files read.
    pub n_files: usize,
    /// Rows in them.
    pub n_rows: usize,
    /// Alerts opened.
    pub n_alerts: usize,
}

/// What to replay, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// In what the values are.
    pub unit: Unit,
    /// Series, each a device of its own.
    pub files: &'a [PathBuf],
    /// Folder for everything that is written.
    pub out: &'a Path,
    /// Whether a picture of each series is drawn.
    pub plot: bool,
}

/// Replays files, and writes `series/<stem>.csv` for each, `alerts.csv` for all and, if wanted, `plots/<stem>.svg`.
///
/// # Errors
///
/// When two files have one stem, a file is no series, or something cannot be written.
pub fn run(model: &Model, request: Request<'_>) -> Result<Summary> {
    let judge = |session: &mut Result<Autoencoder>, series: &Series| match session {
        Ok(session) => replay::replay(&model.detector(request.unit), session, request.unit, series),
        Err(error) => bail!("{error:#}"),
    };
    run_with(request, || model.session(), judge)
}

/// The same by random cut forest, a detector of others, as a baseline.
///
/// # Errors
///
/// As [`run`].
pub fn run_baseline(request: Request<'_>) -> Result<Summary> {
    run_with(request, || (), |(), series| baseline::judge(series))
}

/// The same with any judge of whole series; each thread prepares one of its own.
fn run_with<J>(
    request: Request<'_>,
    prepare: impl Fn() -> J + Sync + Send,
    judge: impl Fn(&mut J, &Series) -> Result<Judged> + Sync + Send,
) -> Result<Summary> {
    let files = by_stem(request.files)?;
    for folder in if request.plot { &["series", "plots"][..] } else { &["series"] } {
        let folder = request.out.join(folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let judged: Vec<(&str, usize, Vec<Opened>)> = files
        .par_iter()
        .map_init(&prepare, |prepared, (stem, file)| {
            let series = Series::read(file)?;
            let judged =
                judge(prepared, &series).with_context(|| format!("cannot judge {}", file.display()))?;
            judged.write(&series, request.unit, &request.out.join(format!("series/{stem}.csv")))?;
            if request.plot {
                draw(request, stem, &series, &judged)?;
            }
            Ok((stem.as_str(), series.rows.len(), judged.alerts))
        })
        .collect::<Result<_>>()?;
    write_alerts(&request.out.join("alerts.csv"), &judged)?;
    Ok(Summary {
        n_files: judged.len(),
        n_rows: judged.iter().map(|(_, n_rows, _)| n_rows).sum(),
        n_alerts: judged.iter().map(|(_, _, alerts)| alerts.len()).sum(),
    })
}

fn draw(request: Request<'_>, stem: &str, series: &Series, judged: &Judged) -> Result<()> {
    let svg = plot::Picture { title: stem, unit: request.unit, series, judged }.draw()?;
    let path = request.out.join(format!("plots/{stem}.svg"));
    std::fs::write(&path, svg).with_context(|| format!("cannot write {}", path.display()))
}

fn by_stem(files: &[PathBuf]) -> Result<BTreeMap<String, &PathBuf>> {
    let mut stems = BTreeMap::new();
    for file in files {
        let stem = file.file_stem().with_context(|| format!("{} names no file", file.display()))?;
        if let Some(other) = stems.insert(stem.to_string_lossy().into_owned(), file) {
            bail!("{} and {} would be written to one file: rename one", other.display(), file.display());
        }
    }
    Ok(stems)
}

fn write_alerts(path: &Path, judged: &[(&str, usize, Vec<Opened>)]) -> Result<()> {
    let mut text = b"file,opened_at,closed_at,kind,peak_score\n".to_vec();
    for (stem, _, alerts) in judged {
        for alert in alerts {
            let closed = alert.closed_ms.map(time_text).unwrap_or_default();
            let opened = time_text(alert.opened_ms);
            writeln!(text, "{},{opened},{closed},{},{}", quoted(stem), alert.kind, alert.peak_score)?;
        }
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn quoted(stem: &str) -> String {
    if stem.contains([',', '"', '\n']) {
        format!("\"{}\"", stem.replace('"', "\"\""))
    } else {
        stem.to_owned()
    }
}
