//! The report: one page with its plots inside, for people who want to see what a training did.
//!
//! A trained model and the files that were left out enter, one HTML file leaves.
//! Names of files are others' text: they are escaped.

mod examples;
mod html;
mod plots;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use detector::Calibration;
use wire::model_card::ModelCard;

use crate::calibrate::quantile;
use crate::measured::LeftOut;
use crate::train::{SeriesOutcome, Trained};
use html::Page;

/// Errors of windows of one sort.
struct ErrorSet {
    name: &'static str,
    errors: Vec<f64>,
}

/// Writes the report and returns the path of its page.
///
/// # Errors
///
/// When the file cannot be written or a plot cannot be drawn.
pub fn write(folder: &Path, trained: &Trained, left_out: &[LeftOut]) -> Result<PathBuf> {
    let mut page = Page::new("Training report");
    page.paragraphs(&summary(&trained.card));
    course(&mut page, trained)?;
    distributions(&mut page, trained)?;
    files(&mut page, trained, left_out);
    examples::measured(&mut page, trained)?;
    families(&mut page, trained)?;
    examples::simulated(&mut page, trained)?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join("report.html");
    std::fs::write(&path, page.finish()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// A few lines about a model.
#[must_use]
pub fn summary(card: &ModelCard) -> String {
    let mut text = String::new();
    let (training, metrics) = (&card.training, &card.metrics);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "Model {}: {} windows of {} devices, best pass {} of {}, validation error {} (training {}).",
        card.version,
        card.data.n_windows,
        card.data.n_training_devices,
        training.best_epoch,
        training.n_epochs,
        metrics.validation_error,
        metrics.training_error
    );
    let _ = writeln!(
        text,
        "Prior spread {} °C, usual error {} (99 % quantile of a device's errors, no greater for nine tenths of the fleet).",
        card.normalization.prior_spread, card.error_quantile
    );
    let _ = writeln!(text, "Trained on {}.", card.data.description);
    text
}

/// The error at which a device that nothing is known of is at its boundary.
fn boundary_of_new_device(error_quantile: f64) -> f64 {
    let unknown = Calibration::default();
    let (mut low, mut high) = (error_quantile, 1e3 * error_quantile);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if unknown.score(middle, error_quantile) < 1.0 { low = middle } else { high = middle }
    }
    high
}

fn course(page: &mut Page, trained: &Trained) -> Result<()> {
    page.heading("Course");
    page.paragraphs(
        "Training windows are moved and noisy as they are fitted, validation windows are not: the two curves cannot \
         be compared with each other. The weights of the marked pass were kept.",
    );
    page.figure("", &plots::course(&trained.epochs, trained.card.training.best_epoch)?);
    if trained.folds.len() < 2 {
        return Ok(());
    }
    page.paragraphs(
        "Series are held out in folds, each with all its windows. The first training is the model; the others say \
         what to expect of it on the series that it was fitted on.",
    );
    let row = |(n, fold): (usize, &crate::train::FoldOutcome)| {
        let n_held_out = trained.series.iter().filter(|series| series.fold == n).count();
        vec![
            format!("{}{}", n + 1, if n == 0 { ", kept" } else { "" }),
            n_held_out.to_string(),
            format!("{} of {}", fold.best_epoch, fold.n_epochs),
            number(fold.best.training_error),
            number(fold.best.validation_error),
        ]
    };
    page.table(
        &["Training", "Series held out", "Best pass", "Training error", "Validation error"],
        trained.folds.iter().enumerate().map(row),
    );
    Ok(())
}

/// All sorts of windows that there are.
fn error_sets(trained: &Trained) -> Vec<ErrorSet> {
    let of = |pick: &dyn Fn(&SeriesOutcome) -> Option<Vec<f64>>| {
        trained.series.iter().filter_map(pick).flatten().collect()
    };
    let mut sets = vec![
        ErrorSet { name: "simulated, fitted on", errors: trained.training_errors.all() },
        ErrorSet { name: "simulated, validation", errors: trained.errors.all() },
        ErrorSet {
            name: "measured, fitted on",
            errors: of(&|series| series.fitted_on.as_ref().map(|errors| errors.usual.clone())),
        },
        ErrorSet { name: "measured, held out", errors: of(&|series| Some(series.held_out.usual.clone())) },
        ErrorSet {
            name: "labelled as anomalous, held out",
            errors: of(&|series| Some(series.held_out.labelled.clone())),
        },
    ];
    sets.retain(|set| !set.errors.is_empty());
    sets
}

fn distributions(page: &mut Page, trained: &Trained) -> Result<()> {
    let usual = trained.card.error_quantile;
    let boundary = boundary_of_new_device(usual);
    let sets = error_sets(trained);
    page.heading("Errors and thresholds");
    page.paragraphs(&format!(
        "Error is the squared difference of the newest four values from their reconstruction, in units of the \
         device's spread.\nThe model card's usual error is {usual}. A device whose own errors are not known yet is at \
         its boundary, score 1, with an error of {} if nothing else speaks; after four stretches of 128 readings its \
         own errors say what is usual for it.",
        number(boundary)
    ));
    page.figure("", &plots::distributions(&sets, usual, boundary)?);
    let above = |errors: &[f64], limit: f64| {
        #[expect(clippy::cast_precision_loss, reason = "counts of windows")]
        let share = errors.iter().filter(|error| **error > limit).count() as f64 / errors.len().max(1) as f64;
        format!("{:.2} %", 100.0 * share)
    };
    let rows = sets.iter().map(|set| {
        vec![
            set.name.to_owned(),
            set.errors.len().to_string(),
            number(quantile(&set.errors, 0.5)),
            number(quantile(&set.errors, 0.99)),
            above(&set.errors, usual),
            above(&set.errors, boundary),
        ]
    });
    page.table(
        &["Windows", "Number", "Median", "99 %", "Above usual", "Above a new device's boundary"],
        rows,
    );
    Ok(())
}

fn files(page: &mut Page, trained: &Trained, left_out: &[LeftOut]) {
    if !trained.series.is_empty() {
        page.heading("Series by file");
        page.paragraphs(
            "Held-out errors are those of a network that never saw the series. A series with much greater errors than \
             the others is unlike all of them, or has faults in it.",
        );
        let rows = trained.series.iter().map(|series| {
            let fitted_on = series.fitted_on.as_ref().map(|errors| number(quantile(&errors.usual, 0.99)));
            let (held_out, n_labelled) = (&series.held_out.usual, series.held_out.labelled.len());
            let labelled = quantile(&series.held_out.labelled, 0.5);
            vec![
                series.name.clone(),
                series.n_readings.to_string(),
                series.n_skipped.to_string(),
                format!("{:.3}", series.held_out.spread),
                (series.fold + 1).to_string(),
                held_out.len().to_string(),
                number(quantile(held_out, 0.5)),
                number(quantile(held_out, 0.99)),
                fitted_on.unwrap_or_default(),
                if n_labelled == 0 { String::new() } else { number(labelled) },
            ]
        });
        let head = [
            "File",
            "Readings",
            "Rows skipped",
            "Spread, °C",
            "Held out in",
            "Windows",
            "Held out: median",
            "99 %",
            "Fitted on: 99 %",
            "Labelled: median",
        ];
        page.table(&head, rows);
    }
    if !left_out.is_empty() {
        page.heading("Files left out");
        page.table(
            &["File", "Why"],
            left_out.iter().map(|left| vec![left.file.clone(), left.reason.clone()]),
        );
    }
}

fn families(page: &mut Page, trained: &Trained) -> Result<()> {
    page.heading("Simulated devices by family, validation fleet");
    page.paragraphs(
        "From the 1 % to the 99 % quantile of errors, with median and quartiles; in red the usual error.",
    );
    page.figure("", &plots::families(&trained.errors, trained.card.error_quantile)?);
    page.table(
        &["Family", "Median", "99 %"],
        trained.card.metrics.families.iter().map(|family| {
            vec![family.family.clone(), family.median_error.to_string(), family.quantile_99.to_string()]
        }),
    );
    Ok(())
}

/// Four significant digits at most.
fn number(value: f64) -> String {
    detector::round_significant(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_device_is_at_its_boundary_where_its_score_is_one() {
        let boundary = boundary_of_new_device(0.5);
        assert!((Calibration::default().score(boundary, 0.5) - 1.0).abs() < 1e-9);
        assert!((1.5..2.5).contains(&boundary), "{boundary}");
    }
}
