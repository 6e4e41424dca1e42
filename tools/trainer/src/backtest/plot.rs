//! A picture of what became of a series: values and expected ones with the alerts behind them, and scores below.
//!
//! A series and its verdicts enter, SVG leaves, about as large for a million rows as for a thousand.

mod thinning;

use anyhow::{Context, Result};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::replay::{Judged, Opened};
use crate::calibrate::quantile;
use crate::series::{Series, Unit, time_text};
use thinning::{Points, edges, segments};

const SIZE: (u32, u32) = (1400, 760);
/// Height of values, the rest being for scores.
const VALUES_HEIGHT: i32 = 500;
const LEFT: u32 = 70;
const MARGIN: u32 = 14;
/// Scores are cut here: what matters is whether they are above 1, and by how much about.
const GREATEST_SCORE: f64 = 4.0;
/// Values beyond are no readings of any unit, and no axis has room for them.
const GREATEST_VALUE: f64 = 1e12;
/// Pixels that an alert has at least, and that a label needs.
const LEAST_WIDTH: i64 = 3;
const LABEL_WIDTH: i64 = 52;
const N_TICKS: i64 = 12;
const MINUTE_MS: i64 = 60_000;
/// Steps between times that are written, in minutes.
const STEPS: [i64; 17] =
    [1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 7200, 10_080, 20_160, 43_200, 129_600, 259_200, 525_600];

const VALUE_INK: RGBColor = RGBColor(31, 119, 180);
const EXPECTED_INK: RGBColor = RGBColor(255, 127, 14);
const SCORE_INK: RGBColor = RGBColor(85, 85, 85);
const BOUNDARY_INK: RGBColor = RGBColor(214, 39, 40);

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A series to draw.
pub(super) struct Picture<'a> {
    pub(super) title: &'a str,
    pub(super) unit: Unit,
    pub(super) series: &'a Series,
    pub(super) judged: &'a Judged,
}

/// What is drawn of it.
struct Drawn {
    /// From the first reading to the last.
    times: (i64, i64),
    values: Points,
    expected: Points,
    scores: Points,
}

impl Picture<'_> {
    /// Draws the picture.
    ///
    /// # Errors
    ///
    /// When the drawing library fails.
    pub(super) fn draw(&self) -> Result<String> {
        let drawn = self.drawn();
        let mut svg = String::new();
        {
            let canvas = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            canvas.fill(&WHITE)?;
            let (upper, lower) = canvas.split_vertically(VALUES_HEIGHT);
            self.draw_values(&upper, &drawn)?;
            self.draw_scores(&lower, &drawn)?;
            canvas.present().context("the picture cannot be drawn")?;
        }
        Ok(svg)
    }

    fn drawn(&self) -> Drawn {
        let rows = || self.series.rows.iter().zip(&self.judged.rows);
        let in_order = |mut points: Points| {
            points.sort_by_key(|(at_ms, _)| *at_ms);
            points
        };
        let values: Points = rows()
            .filter(|(row, _)| row.value.abs() <= GREATEST_VALUE)
            .map(|(row, _)| (row.timestamp_ms, row.value))
            .collect();
        let expected = rows()
            .filter_map(|(row, judged)| Some((row.timestamp_ms, self.unit.of_celsius(judged.expected?))));
        let scores =
            rows().filter_map(|(row, judged)| Some((row.timestamp_ms, judged.score?.min(GREATEST_SCORE))));
        let (expected, scores) = (in_order(expected.collect()), in_order(scores.collect()));
        let values = in_order(values);
        let from = values.first().map_or(0, |point| point.0);
        let to = values.last().map_or(0, |point| point.0).max(from + MINUTE_MS);
        Drawn { times: (from, to), values, expected, scores }
    }

    fn draw_values(&self, canvas: &Canvas<'_>, drawn: &Drawn) -> Result<()> {
        let (from, to) = drawn.times;
        let (low, high) = value_range(&drawn.values);
        let alerts = &self.judged.alerts;
        let title = format!("{}: {} rows, {} alerts", self.title, self.series.rows.len(), alerts.len());
        let mut chart = ChartBuilder::on(canvas)
            .margin(MARGIN)
            .caption(title, ("sans-serif", 18))
            .x_label_area_size(8)
            .y_label_area_size(LEFT)
            .build_cartesian_2d((from..to).with_key_points(ticks(from, to)), low..high)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(BLACK.mix(0.12))
            .x_label_formatter(&|_| String::new())
            .y_label_style(("sans-serif", 13))
            .draw()?;
        let mut named: Vec<&str> = Vec::new();
        for alert in alerts {
            let ink = ink_of(alert.kind);
            let (opened, closed) = extent(alert, drawn.times);
            let shade = Rectangle::new([(opened, low), (closed, high)], ink.mix(0.25).filled());
            let shade = chart.draw_series([shade])?;
            if !named.contains(&alert.kind) {
                named.push(alert.kind);
                shade.label(format!("alert: {}", alert.kind)).legend(move |(x, y)| {
                    Rectangle::new([(x, y - 5), (x + 18, y + 5)], ink.mix(0.4).filled())
                });
            }
        }
        for (name, points, ink, width) in [
            ("expected", &drawn.expected, EXPECTED_INK.mix(0.8), 1),
            ("value", &drawn.values, VALUE_INK.mix(1.0), 1),
        ] {
            for (n, segment) in segments(points, drawn.times, (low, high)).into_iter().enumerate() {
                let line = chart.draw_series(LineSeries::new(segment, ink.stroke_width(width)))?;
                if n == 0 {
                    line.label(name)
                        .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], ink.stroke_width(2)));
                }
            }
        }
        let outside = edges(&drawn.values, drawn.times, (low, high));
        if !outside.is_empty() {
            chart
                .draw_series(outside.into_iter().map(|at| Circle::new(at, 3, BOUNDARY_INK.filled())))?
                .label("value beyond the picture")
                .legend(|(x, y)| Circle::new((x + 9, y), 3, BOUNDARY_INK.filled()));
        }
        let label = ("sans-serif", 12).into_font();
        let mut free_from = i64::MIN;
        for alert in alerts {
            let (opened, _) = extent(alert, drawn.times);
            if opened >= free_from {
                chart.draw_series([Text::new(alert.kind, (opened, high), label.clone().color(&BLACK))])?;
                free_from = opened + LABEL_WIDTH * pixel_ms(drawn.times);
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .label_font(("sans-serif", 13))
            .draw()?;
        Ok(())
    }

    fn draw_scores(&self, canvas: &Canvas<'_>, drawn: &Drawn) -> Result<()> {
        let (from, to) = drawn.times;
        let highest = drawn.scores.iter().map(|point| point.1).fold(1.5, f64::max);
        let high = 1.05 * highest;
        let mut chart = ChartBuilder::on(canvas)
            .margin(MARGIN)
            .x_label_area_size(44)
            .y_label_area_size(LEFT)
            .build_cartesian_2d((from..to).with_key_points(ticks(from, to)), 0.0..high)?;
        let text_of = |at_ms: &i64| tick_text(*at_ms, from, to);
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(BLACK.mix(0.12))
            .x_label_formatter(&text_of)
            .x_label_style(("sans-serif", 13))
            .y_label_style(("sans-serif", 13))
            .y_labels(5)
            .y_desc(if highest >= GREATEST_SCORE { "score, cut at 4" } else { "score" })
            .x_desc("UTC")
            .draw()?;
        for alert in &self.judged.alerts {
            let (opened, closed) = extent(alert, drawn.times);
            let shade =
                Rectangle::new([(opened, 0.0), (closed, high)], ink_of(alert.kind).mix(0.25).filled());
            chart.draw_series([shade])?;
        }
        for segment in segments(&drawn.scores, drawn.times, (0.0, high)) {
            chart.draw_series(LineSeries::new(segment, SCORE_INK.stroke_width(1)))?;
        }
        chart.draw_series(LineSeries::new([(from, 1.0), (to, 1.0)], BOUNDARY_INK.stroke_width(1)))?;
        Ok(())
    }
}

/// Where an alert is shaded: wide enough to be seen, within the picture.
fn extent(alert: &Opened, times: (i64, i64)) -> (i64, i64) {
    let least = LEAST_WIDTH * pixel_ms(times);
    let opened = alert.opened_ms.clamp(times.0, times.1 - least);
    let closed = alert.closed_ms.unwrap_or(times.1).clamp(opened + least, times.1.max(opened + least));
    (opened, closed)
}

fn pixel_ms((from, to): (i64, i64)) -> i64 {
    (to - from) / i64::from(SIZE.0 - LEFT - 2 * MARGIN)
}

fn ink_of(kind: &str) -> RGBColor {
    match kind {
        "range" | "limit" => RGBColor(148, 103, 189),
        "stuck" => RGBColor(140, 86, 75),
        "silence" => RGBColor(90, 90, 90),
        "spike" => RGBColor(214, 39, 40),
        "shift" => RGBColor(255, 187, 0),
        "drift" => RGBColor(44, 160, 44),
        "noise" => RGBColor(227, 119, 194),
        _ => RGBColor(23, 190, 207),
    }
}

/// The range of values that is drawn: all of it, unless a few values would press all others flat.
fn value_range(points: &Points) -> (f64, f64) {
    let values: Vec<f64> = points.iter().map(|point| point.1).collect();
    let (usual_low, usual_high) = (quantile(&values, 0.01), quantile(&values, 0.99));
    let usual = (usual_high - usual_low).max(1e-9);
    let credible = usual_low - 1.5 * usual..=usual_high + 1.5 * usual;
    let inside = values.iter().filter(|value| credible.contains(value));
    let (low, high) =
        inside.fold((usual_low, usual_high), |(low, high), value| (low.min(*value), high.max(*value)));
    let room = (0.06 * (high - low)).max(1e-6 * high.abs()).max(0.05);
    (low - room, high + room)
}

fn step_ms(from: i64, to: i64) -> i64 {
    let least = (to - from) / N_TICKS;
    let step = STEPS.iter().map(|minutes| minutes * MINUTE_MS).find(|step| *step >= least);
    step.unwrap_or(least).max(1)
}

/// Times that are written below the picture.
fn ticks(from: i64, to: i64) -> Vec<i64> {
    let step = step_ms(from, to);
    let first = from.div_euclid(step) * step + if from.rem_euclid(step) == 0 { 0 } else { step };
    (0..2 * N_TICKS).map(|n| first + n * step).take_while(|at_ms| *at_ms <= to).collect()
}

/// A time as short as the others beside it allow.
fn tick_text(at_ms: i64, from: i64, to: i64) -> String {
    let text = time_text(at_ms);
    let is_by_day = step_ms(from, to) >= 1440 * MINUTE_MS;
    let range = if is_by_day { 0..10 } else { 5..16 };
    text.get(range).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_round_and_few() {
        let day = 1440 * MINUTE_MS;
        let from = 1_767_225_600_000 + 7 * MINUTE_MS;
        let by_day = ticks(from, from + 14 * day);
        assert!((6..=13).contains(&by_day.len()), "{by_day:?}");
        assert_eq!(tick_text(by_day[0], from, from + 14 * day), "2026-01-03");
        assert_eq!(tick_text(ticks(from, from + day / 4)[0], from, from + day / 4), "01-01 00:30");
        assert!(ticks(0, 400 * 365 * day).len() <= 13);
    }

    #[test]
    fn a_few_values_do_not_press_all_others_flat() {
        let mut points: Points = (0..1000_i32).map(|n| (n.into(), f64::from(n % 10))).collect();
        points[500].1 = 12.0;
        assert!(value_range(&points).1 > 12.0);
        points[500].1 = -9999.0;
        assert!(value_range(&points).0 > -2.0);
    }

    #[test]
    fn a_series_of_nothing_is_drawn_as_well() {
        let (series, judged) = (Series { rows: Vec::new() }, Judged::default());
        let picture = Picture { title: "<none>", unit: Unit::None, series: &series, judged: &judged };
        let svg = picture.draw().unwrap();
        assert!(svg.contains("&lt;none&gt;: 0 rows") && svg.contains("</svg>"), "{svg}");
    }
}
