//! The report's plots, as SVG.

use anyhow::{Context, Result};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::ErrorSet;
use super::examples::Example;
use crate::calibrate::{FleetErrors, quantile};
use crate::fit::Epoch;

const BLUE_INK: RGBColor = RGBColor(31, 119, 180);
const RED_INK: RGBColor = RGBColor(214, 39, 40);
/// One for each sort of windows.
const INKS: [RGBColor; 5] =
    [RGBColor(174, 199, 232), BLUE_INK, RGBColor(152, 223, 138), RGBColor(44, 160, 44), RED_INK];
const WIDE: (u32, u32) = (1000, 400);
const SMALL: (u32, u32) = (340, 220);
/// Bars of a distribution over a factor of ten.
const BINS_PER_TEN: f64 = 8.0;
/// Errors below are drawn as this.
const LEAST_ERROR: f64 = 1e-6;

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws on an empty canvas.
fn draw(size: (u32, u32), on: impl FnOnce(&Canvas<'_>) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        canvas.fill(&WHITE)?;
        on(&canvas)?;
        canvas.present().context("a plot cannot be drawn")?;
    }
    Ok(svg)
}

/// Draws the errors of all passes, and marks the best one, counted from 1.
pub(super) fn course(epochs: &[Epoch], best: usize) -> Result<String> {
    let (_, high) = bounds(epochs.iter().flat_map(|epoch| [epoch.training_error, epoch.validation_error]));
    draw(WIDE, |canvas| {
        let mut chart = ChartBuilder::on(canvas)
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
            ("training, moved and noisy", BLUE_INK, (|epoch| epoch.training_error) as fn(&Epoch) -> f64),
            ("validation", RED_INK, |epoch| epoch.validation_error),
        ] {
            chart
                .draw_series(LineSeries::new((1..).zip(epochs.iter().map(error)), ink.stroke_width(2)))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], ink.stroke_width(2)));
        }
        if let Some(epoch) = best.checked_sub(1).and_then(|n| epochs.get(n)) {
            chart
                .draw_series([Circle::new((best, epoch.validation_error), 5, RED_INK.filled())])?
                .label("kept")
                .legend(|(x, y)| Circle::new((x + 9, y), 5, RED_INK.filled()));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .border_style(BLACK)
            .background_style(WHITE)
            .draw()?;
        Ok(())
    })
}

/// Draws how often which errors are, sort by sort, with the usual error and a new device's boundary.
pub(super) fn distributions(sets: &[ErrorSet], usual: f64, boundary: f64) -> Result<String> {
    let all = sets.iter().flat_map(|set| [quantile(&set.errors, 0.001), quantile(&set.errors, 1.0)]);
    let (low, high) = bounds(all.chain([usual, boundary]));
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    let lines: Vec<Vec<(f64, f64)>> = sets.iter().map(|set| histogram(&set.errors, low, high)).collect();
    let most = lines.iter().flatten().map(|(_, share)| *share).fold(1.0, f64::max);
    draw(WIDE, |canvas| {
        let mut chart = ChartBuilder::on(canvas)
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(60)
            .build_cartesian_2d(low..high, 0.0..most * 1.1)?;
        chart
            .configure_mesh()
            .x_desc("error")
            .x_label_formatter(&|power| power_text(*power))
            .y_desc("% of windows")
            .y_label_formatter(&|share| format!("{share:.1}"))
            .draw()?;
        for ((set, line), ink) in sets.iter().zip(lines).zip(INKS.into_iter().cycle()) {
            chart
                .draw_series(LineSeries::new(line, ink.stroke_width(2)))?
                .label(set.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], ink.stroke_width(2)));
        }
        for (name, error, dash) in [("usual error", usual, 2), ("boundary of a new device", boundary, 6)] {
            let x = error.max(LEAST_ERROR).log10();
            let line = [(x, 0.0), (x, most * 1.1)];
            chart
                .draw_series(DashedLineSeries::new(line, dash, 3, BLACK.stroke_width(1)))?
                .label(name)
                .legend(move |(x, y)| {
                    DashedPathElement::new([(x, y), (x + 18, y)], dash, 3, BLACK.stroke_width(1))
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .border_style(BLACK)
            .background_style(WHITE)
            .draw()?;
        Ok(())
    })
}

/// Shares of errors in bins of equal ratio between powers of ten, in percent, as a line of steps.
fn histogram(errors: &[f64], low: f64, high: f64) -> Vec<(f64, f64)> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few dozen bins")]
    let n_bins = ((high - low) * BINS_PER_TEN).ceil().max(1.0) as usize;
    let mut counts = vec![0_u32; n_bins];
    for error in errors {
        let place = (error.max(LEAST_ERROR).log10() - low) * BINS_PER_TEN;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to the bins")]
        let bin = (place.max(0.0) as usize).min(n_bins - 1);
        counts[bin] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of windows")]
    let whole = errors.len().max(1) as f64;
    let mut line = Vec::with_capacity(2 * n_bins);
    let mut from = low;
    for count in counts {
        let (to, share) = (from + 1.0 / BINS_PER_TEN, 100.0 * f64::from(count) / whole);
        line.extend([(from, share), (to, share)]);
        from = to;
    }
    line
}

fn power_text(power: f64) -> String {
    if (power - power.round()).abs() > 0.01 {
        return String::new();
    }
    let value = 10_f64.powf(power.round());
    value.to_string()
}

/// Draws, for each family, the range from its 1 % to its 99 % quantile, with median and quartiles, and the usual
/// error of the model card across all.
pub(super) fn families(errors: &FleetErrors, usual: f64) -> Result<String> {
    let families = errors.by_family();
    let all = families.iter().flat_map(|(_, errors)| [quantile(errors, 0.01), quantile(errors, 0.99)]);
    let (low, high) = bounds(all.chain([usual]));
    let n = families.len();
    let names: Vec<&str> = families.iter().map(|(family, _)| family.name()).collect();
    draw(WIDE, |canvas| {
        #[expect(clippy::cast_precision_loss, reason = "few families")]
        let mut chart = ChartBuilder::on(canvas)
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
            chart
                .draw_series([PathElement::new([(x, at(0.01)), (x, at(0.99))], BLUE_INK.stroke_width(1))])?;
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
        chart.draw_series(LineSeries::new(
            [(-0.5, usual), (n as f64 - 0.5, usual)],
            RED_INK.stroke_width(1),
        ))?;
        Ok(())
    })
}

/// Draws a window and, dashed, its reconstruction; no text of others is in it.
pub(super) fn example(example: &Example) -> Result<String> {
    let values = || example.seen.iter().chain(&example.expected);
    let (low, high) =
        values().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
    let room = (0.05 * (high - low)).max(0.05);
    draw(SMALL, |canvas| {
        let mut chart = ChartBuilder::on(canvas)
            .margin(8)
            .x_label_area_size(18)
            .y_label_area_size(42)
            .build_cartesian_2d(0..example.seen.len(), low - room..high + room)?;
        chart.configure_mesh().light_line_style(WHITE).x_labels(4).y_labels(5).draw()?;
        let points = |values: &[f64]| -> Vec<(usize, f64)> { values.iter().copied().enumerate().collect() };
        chart.draw_series(LineSeries::new(points(&example.seen), BLUE_INK.stroke_width(2)))?;
        let expected = points(&example.expected);
        chart.draw_series(DashedLineSeries::new(expected, 4, 3, RED_INK.stroke_width(2)))?;
        Ok(())
    })
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
