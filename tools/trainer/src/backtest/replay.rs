//! One series through the detector and the model, in batches as they are served.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use autoencoder::Autoencoder;
use detector::{Alert, Detector, Device, Fact, Step};

use crate::series::{Series, Unit};

/// Rows in a batch: as many as the host sends at most.
const BATCH_ROWS: usize = 512;

/// What became of a series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judged {
    /// One for each row, in order.
    pub rows: Vec<JudgedRow>,
    /// Its alerts, in order.
    pub alerts: Vec<Opened>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct JudgedRow {
    /// What was expected, in degrees Celsius.
    pub expected: Option<f64>,
    /// The score; above 1 is an anomaly.
    pub score: Option<f64>,
    /// What sort of alert it opened.
    pub alert: Option<&'static str>,
}

/// An alert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opened {
    /// What sort of fault it looked like.
    pub kind: &'static str,
    /// When it was opened, in epoch milliseconds.
    pub opened_ms: i64,
    /// When it was closed; `None` when the series ends before.
    pub closed_ms: Option<i64>,
    /// The greatest score in between.
    pub peak_score: f64,
}

/// Judges a series.
///
/// # Errors
///
/// When the model fails.
pub(super) fn replay(
    detector: &Detector,
    model: &mut Autoencoder,
    unit: Unit,
    series: &Series,
) -> Result<Judged> {
    let mut device = Device::default();
    let mut judged = Judged::default();
    let (mut windows, mut reconstructions) = (Vec::new(), Vec::new());
    for rows in series.rows.chunks(BATCH_ROWS) {
        windows.clear();
        reconstructions.clear();
        let mut waiting = Vec::with_capacity(rows.len());
        for row in rows {
            let from = windows.len();
            let seen = unit.reading(row).map(|reading| detector.observe(&mut device, reading, &mut windows));
            waiting.push((seen, from..windows.len()));
        }
        model.reconstruct(&windows, &mut reconstructions)?;
        for (seen, window) in waiting {
            let Some(seen) = seen else {
                judged.rows.push(JudgedRow::default());
                continue;
            };
            let (window, expected) = (&windows[window.clone()], &reconstructions[window]);
            let fact = detector.decide(&mut device, &seen, window, expected);
            judged.take(&fact, device.newest_alert());
        }
    }
    Ok(judged)
}

impl Judged {
    fn take(&mut self, fact: &Fact, alert: Option<Alert>) {
        self.rows.push(JudgedRow { expected: fact.expected, score: fact.score, alert: None });
        self.note(fact.reading.timestamp_ms(), fact.score.unwrap_or_default(), fact.step, alert);
    }

    /// Notes what the newest row did to its device's newest alert.
    pub(super) fn note(&mut self, at_ms: i64, score: f64, step: Option<Step>, alert: Option<Alert>) {
        if let (Some(Step::Opened), Some(alert)) = (step, alert) {
            let kind = alert.kind().name();
            if let Some(row) = self.rows.last_mut() {
                row.alert = Some(kind);
            }
            self.alerts.push(Opened { kind, opened_ms: alert.began_ms, closed_ms: None, peak_score: score });
            return;
        }
        let Some(alert) = self.alerts.last_mut().filter(|alert| alert.closed_ms.is_none()) else { return };
        if step == Some(Step::Closed) {
            alert.closed_ms = Some(at_ms);
        } else {
            alert.peak_score = alert.peak_score.max(score);
        }
    }

    /// Writes one row for each row of the series.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn write(&self, series: &Series, unit: Unit, path: &Path) -> Result<()> {
        let mut text = b"timestamp,value,expected,score,anomaly,alert\n".to_vec();
        for (row, judged) in series.rows.iter().zip(&self.rows) {
            write!(text, "{},{},", row.timestamp, row.value)?;
            if let Some(expected) = judged.expected {
                write!(text, "{}", unit.of_celsius(expected))?;
            }
            text.push(b',');
            if let Some(score) = judged.score {
                write!(text, "{score}")?;
            }
            let is_anomaly = judged.score.is_some_and(|score| score > 1.0);
            writeln!(text, ",{},{}", u8::from(is_anomaly), judged.alert.unwrap_or_default())?;
        }
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}
