//! Windows beside their reconstructions: typical ones, and those that are reconstructed worst.
//!
//! A trained model enters, plots on the page leave.

use anyhow::Result;
use autoencoder::Autoencoder;
use detector::WINDOW_LENGTH;
use simulator::Family;

use super::html::Page;
use super::{number, plots};
use crate::series::time_text;
use crate::train::Trained;

/// Windows shown of those that are reconstructed worst.
const N_WORST: usize = 9;

/// A window beside its reconstruction.
pub(super) struct Example {
    pub(super) title: String,
    pub(super) seen: Vec<f64>,
    pub(super) expected: Vec<f64>,
}

/// Adds the worst window of each measured series.
pub(super) fn measured(page: &mut Page, trained: &Trained) -> Result<()> {
    let mut measured: Vec<_> =
        trained.series.iter().filter_map(|series| Some((series, series.held_out.worst.as_ref()?))).collect();
    measured.sort_by(|one, other| other.1.error.total_cmp(&one.1.error));
    measured.truncate(N_WORST);
    if !measured.is_empty() {
        page.heading("Worst windows of measured series");
        page.paragraphs("The worst window of a file while it was held out; degrees Celsius, the reconstruction is dashed.");
        let examples = measured.into_iter().map(|(series, window)| Example {
            title: format!(
                "{}, until {}, error {}",
                series.name,
                time_text(window.newest_ms),
                number(window.error)
            ),
            seen: window.seen.clone(),
            expected: window.expected.clone(),
        });
        show(page, examples)?;
    }
    Ok(())
}

/// Adds typical and worst windows of the validation fleet.
pub(super) fn simulated(page: &mut Page, trained: &Trained) -> Result<()> {
    page.heading("Typical windows");
    page.paragraphs(
        "Each family's window of median error, in units of the spread; the reconstruction is dashed.",
    );
    show(page, reconstruct(trained, &typical_windows(trained))?)?;
    page.heading("Worst windows");
    show(page, reconstruct(trained, &worst_windows(trained))?)
}

fn show(page: &mut Page, examples: impl IntoIterator<Item = Example>) -> Result<()> {
    let figures: Vec<(String, String)> = examples
        .into_iter()
        .map(|example| Ok((plots::example(&example)?, example.title)))
        .map(|result: Result<_>| result.map(|(plot, title)| (title, plot)))
        .collect::<Result<_>>()?;
    page.figures(&figures);
    Ok(())
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
        let Some(window) = windows.nth(*n) else {
            continue;
        };
        let mut expected = Vec::new();
        model.reconstruct(window, &mut expected)?;
        let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect();
        let title = format!("{family}, error {}", number(*error));
        examples.push(Example { title, seen: wide(window), expected: wide(&expected) });
    }
    Ok(examples)
}
