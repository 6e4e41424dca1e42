//! The report: a page in Markdown with plots beside it, for people who want to see what a training did.
//!
//! A trained model enters, files in one folder leave.

mod plots;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use autoencoder::Autoencoder;
use detector::WINDOW_LENGTH;
use simulator::Family;
use wire::model_card::ModelCard;

use crate::train::Trained;

/// Windows shown of those that are reconstructed worst.
const N_WORST: usize = 6;

/// A window beside its reconstruction.
struct Example {
    title: String,
    window: Vec<f32>,
    reconstruction: Vec<f32>,
}

/// Writes the report and returns the path of its page.
///
/// # Errors
///
/// When a file cannot be written or a plot cannot be drawn.
pub fn write(folder: &Path, trained: &Trained) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    plots::course(&folder.join("course.svg"), &trained.epochs)?;
    plots::errors(&folder.join("errors.svg"), &trained.errors, trained.card.error_quantile)?;
    plots::examples(&folder.join("typical.svg"), &reconstruct(trained, &typical_windows(trained))?)?;
    plots::examples(&folder.join("worst.svg"), &reconstruct(trained, &worst_windows(trained))?)?;
    let page = folder.join("report.md");
    std::fs::write(&page, markdown(&trained.card))
        .with_context(|| format!("cannot write {}", page.display()))?;
    Ok(page)
}

/// A few lines about a model.
#[must_use]
pub fn summary(card: &ModelCard) -> String {
    let mut text = String::new();
    let (training, metrics) = (&card.training, &card.metrics);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "Model `{}`: {} windows of {} devices, best pass {} of {}, validation error {} (training {}).",
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
    text
}

fn markdown(card: &ModelCard) -> String {
    let mut page = format!("# Training report\n\n{}\n", summary(card));
    page.push_str("## Course\n\n![Errors by pass](course.svg)\n\n");
    page.push_str("## Errors by family, validation fleet\n\n![Distribution of errors](errors.svg)\n\n");
    page.push_str("| Family | Median | 99 % quantile |\n|---|---|---|\n");
    for family in &card.metrics.families {
        let _ = writeln!(page, "| {} | {} | {} |", family.family, family.median_error, family.quantile_99);
    }
    page.push_str(
        "\n## Typical windows\n\nEach family's window of median error; the reconstruction is dashed.\n\n",
    );
    page.push_str("![Typical windows](typical.svg)\n\n## Worst windows\n\n![Worst windows](worst.svg)\n");
    page
}

/// A window's place: family, index within it, error.
type Place = (Family, usize, f64);

/// Each family's window of median error.
fn typical_windows(trained: &Trained) -> Vec<Place> {
    let mut places = Vec::new();
    for (family, errors) in trained.errors.by_family() {
        let mut ranked: Vec<Place> =
            errors.iter().enumerate().map(|(n, error)| (family, n, *error)).collect();
        ranked.sort_by(|one, other| one.2.total_cmp(&other.2));
        places.extend(ranked.get(ranked.len() / 2));
    }
    places
}

/// The windows of the greatest errors, at most one of each family.
fn worst_windows(trained: &Trained) -> Vec<Place> {
    let mut places = Vec::new();
    for (family, errors) in trained.errors.by_family() {
        let ranked = errors.iter().enumerate().map(|(n, error)| (family, n, *error));
        places.extend(ranked.max_by(|one, other| one.2.total_cmp(&other.2)));
    }
    places.sort_by(|one, other| other.2.total_cmp(&one.2));
    places.truncate(N_WORST);
    places
}

fn reconstruct(trained: &Trained, places: &[Place]) -> Result<Vec<Example>> {
    let mut model = Autoencoder::load(&trained.onnx, WINDOW_LENGTH)?;
    let mut examples = Vec::new();
    for (family, n, error) in places {
        let devices = trained.windows.devices.iter().filter(|(of, _)| of == family);
        let mut windows = devices.flat_map(|(_, windows)| windows.chunks(WINDOW_LENGTH));
        let Some(window) = windows.nth(*n).map(<[f32]>::to_vec) else {
            continue;
        };
        let mut reconstruction = Vec::new();
        model.reconstruct(&window, &mut reconstruction)?;
        examples.push(Example { title: format!("{family}, error {error:.4}"), window, reconstruction });
    }
    Ok(examples)
}
