//! The report's plots, as SVG files.

use std::path::Path;

use anyhow::{Context, Result};
use plotters::prelude::*;

use super::Example;
use crate::calibrate::{FleetErrors, quantile};
use crate::fit::Epoch;

const BLUE_INK: RGBColor = RGBColor(31, 119, 180);
const RED_INK: RGBColor = RGBColor(214, 39, 40);
const SMALL: (&str, i32) = ("sans-serif", 13);

/// Draws the errors of all passes.
pub(super) fn course(path: &Path, epochs: &[Epoch]) -> Result<()> {
    let errors = epochs.iter().flat_map(|epoch| [epoch.training_error, epoch.validation_error]);
    let (_, high) = bounds(errors);
    let root = SVGBackend::new(path, (800, 400)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(60)
        .build_cartesian_2d(1..epochs.len().max(2), 0.0..high * 1.1)?;
    chart
        .configure_mesh()
        .x_desc("pass")
        .y_desc("mean squared error")
        .y_label_formatter(&|error| format!("{error:.3}"))
        .draw()?;
    for (name, ink, error) in [
        ("training, corrupted", BLUE_INK, (|epoch| epoch.training_error) as fn(&Epoch) -> f64),
        ("validation", RED_INK, |epoch| epoch.validation_error),
    ] {
        chart
            .draw_series(LineSeries::new((1..).zip(epochs.iter().map(error)), ink.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], ink.stroke_width(2)));
    }
    chart.configure_series_labels().border_style(BLACK).background_style(WHITE).draw()?;
    present(&root, path)
}

/// Draws, for each family, the range from its 1 % to its 99 % quantile, with median and quartiles, and the usual
/// error of the model card across all.
pub(super) fn errors(path: &Path, errors: &FleetErrors, usual: f64) -> Result<()> {
    let families = errors.by_family();
    let all = families.iter().flat_map(|(_, errors)| [quantile(errors, 0.01), quantile(errors, 0.99)]);
    let (low, high) = bounds(all.chain([usual]));
    let n = families.len();
    let root = SVGBackend::new(path, (800, 400)).into_drawing_area();
    root.fill(&WHITE)?;
    let names: Vec<&str> = families.iter().map(|(family, _)| family.name()).collect();
    #[expect(clippy::cast_precision_loss, reason = "few families")]
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(60)
        .build_cartesian_2d(-0.5..n as f64 - 0.5, (low * 0.8..high * 1.2).log_scale())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(2 * n)
        .x_label_formatter(&|x| name_at(&names, *x))
        .y_desc("reconstruction error")
        .y_label_formatter(&|error| format!("{error:.4}"))
        .draw()?;
    for (x, (_, errors)) in (0_u32..).zip(&families) {
        let x = f64::from(x);
        let at = |share| quantile(errors, share).max(low);
        chart.draw_series([PathElement::new([(x, at(0.01)), (x, at(0.99))], BLUE_INK.stroke_width(1))])?;
        chart.draw_series([Rectangle::new(
            [(x - 0.2, at(0.25)), (x + 0.2, at(0.75))],
            BLUE_INK.mix(0.3).filled(),
        )])?;
        chart.draw_series([PathElement::new(
            [(x - 0.2, at(0.5)), (x + 0.2, at(0.5))],
            BLUE_INK.stroke_width(2),
        )])?;
    }
    #[expect(clippy::cast_precision_loss, reason = "few families")]
    chart.draw_series(LineSeries::new([(-0.5, usual), (n as f64 - 0.5, usual)], RED_INK.stroke_width(1)))?;
    present(&root, path)
}

/// Draws windows and, dashed, their reconstructions.
pub(super) fn examples(path: &Path, examples: &[Example]) -> Result<()> {
    let root = SVGBackend::new(path, (960, 640)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, example) in root.split_evenly((3, 3)).iter().zip(examples) {
        let values = example.window.iter().chain(&example.reconstruction).map(|value| f64::from(*value));
        let (low, high) =
            values.fold((-0.1, 0.1), |(low, high): (f64, f64), value| (low.min(value), high.max(value)));
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .caption(&example.title, SMALL)
            .x_label_area_size(18)
            .y_label_area_size(36)
            .build_cartesian_2d(0..example.window.len(), low..high)?;
        chart.configure_mesh().light_line_style(WHITE).x_labels(4).y_labels(5).draw()?;
        let points = |values: &[f32]| -> Vec<(usize, f64)> {
            values.iter().map(|value| f64::from(*value)).enumerate().collect()
        };
        chart.draw_series(LineSeries::new(points(&example.window), BLUE_INK.stroke_width(2)))?;
        chart.draw_series(DashedLineSeries::new(
            points(&example.reconstruction),
            4,
            3,
            RED_INK.stroke_width(2),
        ))?;
    }
    present(&root, path)
}

fn present(root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>, path: &Path) -> Result<()> {
    root.present().with_context(|| format!("cannot write {}", path.display()))
}

/// Least and greatest of some errors, for a logarithmic scale.
fn bounds(errors: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        errors.fold((f64::MAX, f64::MIN), |(low, high), error| (low.min(error), high.max(error)));
    if low > high { (1e-6, 1.0) } else { (low.max(1e-6), high.max(2e-6)) }
}

/// The name that belongs at a whole number, none in between.
fn name_at(names: &[&str], x: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = x.round().max(0.0) as usize;
    if (x - x.round()).abs() > 0.01 {
        return String::new();
    }
    names.get(index).copied().unwrap_or_default().to_owned()
}
