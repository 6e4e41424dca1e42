//! Measured series to train on beside simulated devices: a folder of CSV files enters, usable series leave, and for
//! all other files the reason why they are left out.
//!
//! It refuses to know networks: what makes a series hopeless is in its numbers.

mod hopeless;
mod windows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use detector::Reading;
use wire::model_card::sha256_hex;

use crate::series::{Series, Unit};

pub use windows::{SeriesWindows, Window};

/// Series without which nothing can be held out in earnest.
const LEAST_SERIES: usize = 3;

/// A series that can be trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredSeries {
    /// Stem of its file.
    pub name: String,
    /// Its readings, in the order of the file.
    pub readings: Vec<Reading>,
    /// Which of them are labelled as anomalous: nothing is learned from those.
    pub labelled: Vec<bool>,
    /// Rows whose value is none.
    pub n_skipped: usize,
}

/// A file that cannot be trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path below the folder.
    pub file: String,
    /// Why, and what to do about it.
    pub reason: String,
}

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Series to train on, in the order of their names.
    pub series: Vec<MeasuredSeries>,
    /// The other files.
    pub left_out: Vec<LeftOut>,
}

impl Measured {
    /// Reads all files in a folder and those below it whose names end in `.csv`.
    ///
    /// A file that is of no use is left out; that is no error as long as enough others are.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or too few of its files are of use: says why, file by file.
    pub fn read(folder: &Path, unit: Unit) -> Result<Self> {
        ensure!(unit != Unit::None, "a model is trained on temperatures: say --unit celsius or fahrenheit");
        let files = csv_files(folder)?;
        ensure!(
            !files.is_empty(),
            "no file below {} ends in .csv: give a folder of files with the columns timestamp,value, one a device",
            folder.display()
        );
        let mut measured = Self::default();
        let mut known = Known::default();
        for file in &files {
            let name = file.strip_prefix(folder).unwrap_or(file).display().to_string();
            match read_series(file, &name, unit, &mut known) {
                Ok(series) => measured.series.push(series),
                Err(reason) => measured.left_out.push(LeftOut { file: name, reason }),
            }
        }
        measured.series.sort_by(|one, other| one.name.cmp(&other.name));
        let n_usable = measured.series.len();
        ensure!(
            n_usable >= LEAST_SERIES,
            "{n_usable} of {} files below {} can be trained on, and {LEAST_SERIES} are needed, for whole series are \
             held out: add files of more devices{}",
            files.len(),
            folder.display(),
            measured.reasons()
        );
        Ok(measured)
    }

    /// A line for each file that is left out.
    #[must_use]
    pub fn reasons(&self) -> String {
        self.left_out.iter().map(|left| format!("\nleft out: {}: {}", left.file, left.reason)).collect()
    }
}

/// What was read already, by stem and by contents.
#[derive(Debug, Default)]
struct Known {
    stems: BTreeMap<String, String>,
    contents: BTreeMap<String, String>,
}

fn read_series(file: &Path, name: &str, unit: Unit, known: &mut Known) -> Result<MeasuredSeries, String> {
    let series = Series::read(file).map_err(|error| format!("{error:#}"))?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(other) = known.stems.get(&stem) {
        return Err(format!("{other} has the same name: rename one"));
    }
    let readings: Vec<_> =
        series.rows.iter().filter_map(|row| Some((unit.reading(row)?, row.is_labelled))).collect();
    if let Some(reason) = hopeless::reason(&series, &readings, unit) {
        return Err(reason);
    }
    let hash = hash(&readings);
    if let Some(other) = known.contents.get(&hash) {
        return Err(format!("it holds the same readings as {other}: remove one"));
    }
    known.contents.insert(hash, name.to_owned());
    known.stems.insert(stem.clone(), name.to_owned());
    let n_skipped = series.rows.len() - readings.len();
    let (readings, labelled) = readings.into_iter().unzip();
    Ok(MeasuredSeries { name: stem, readings, labelled, n_skipped })
}

/// A copy under another name must not be held out from itself.
fn hash(readings: &[(Reading, bool)]) -> String {
    let bytes_of = |(reading, _): &(Reading, bool)| {
        [reading.timestamp_ms().to_le_bytes(), reading.celsius().to_le_bytes()].concat()
    };
    sha256_hex(&readings.iter().flat_map(bytes_of).collect::<Vec<u8>>())
}

/// The CSV files in a folder and those below it, in the order of their paths; links to folders are not followed.
fn csv_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let path = entry.path();
        let kind = entry.file_type().with_context(|| format!("cannot read {}", path.display()))?;
        if kind.is_dir() {
            files.extend(csv_files(&path)?);
        } else if path.is_file() && path.extension().is_some_and(|kind| kind.eq_ignore_ascii_case("csv")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
