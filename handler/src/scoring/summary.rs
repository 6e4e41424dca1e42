//! A batch in figures, for logs and live messages.

use detector::Verdict;
use wire::api::DeviceView;
use wire::documents::AlertDocument;

use super::batch::Batch;
use super::decide::{Decided, Outcome};
use super::state::{State, Undo};

/// Devices of a batch that its summary shows: more than a live message holds.
const SHOWN_DEVICES: usize = 32;

/// A batch in figures.
#[derive(Debug, Default)]
pub struct Summary {
    /// Readings stored, late ones included.
    pub n_readings: usize,
    /// Anomalies among them.
    pub n_anomalies: usize,
    /// Events, or parts of events, that were no readings.
    pub n_rejects: usize,
    /// Duplicates, and events that are no telemetry.
    pub n_skips: usize,
    /// Parts of events whose facts were stored already.
    pub n_stored: usize,
    /// Newest enqueued time, in epoch milliseconds; 0 when the host did not say.
    pub enqueued_to: i64,
    /// Devices of the batch as they stand after it.
    pub devices: Vec<DeviceView>,
    /// What it did to alerts.
    pub alerts: Vec<AlertDocument>,
}

/// Counts what was decided, and shows the devices concerned.
pub(super) fn summarize(
    state: &State,
    batch: &Batch<'_>,
    decided: &[Decided],
    undo: &Undo,
    bucket_prefix: &str,
) -> Summary {
    let mut summary = Summary { enqueued_to: batch.enqueued_to(), ..Summary::default() };
    for part in decided {
        match &part.outcome {
            Outcome::Reading(_, fact, _) => {
                summary.n_readings += 1;
                summary.n_anomalies += usize::from(fact.verdict() == Verdict::Anomaly);
            }
            Outcome::Reject(_) => summary.n_rejects += 1,
            Outcome::Stored | Outcome::StoredReading(..) => summary.n_stored += 1,
            Outcome::Duplicate(_) | Outcome::NotTelemetry => summary.n_skips += 1,
        }
    }
    let touched = undo.touched().map(|slot| state.entry(slot));
    let (loud, quiet): (Vec<_>, Vec<_>) = touched.partition(|entry| entry.is_anomalous());
    summary.devices = loud
        .into_iter()
        .chain(quiet)
        .take(SHOWN_DEVICES)
        .filter_map(|entry| entry.view(bucket_prefix))
        .collect();
    summary
}
