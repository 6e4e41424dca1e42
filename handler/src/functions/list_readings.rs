//! Lists a device's readings with their scores, as JSON or CSV.

use axum::response::Response;
use wire::api::{ReadingView, ReadingsView};
use wire::stored::rows_by_device;

use crate::app::App;
use crate::parameters::Parameters;
use crate::reply::{self, ApiError};
use crate::table;

const COLUMNS: [&str; 6] = ["timestamp", "temperature", "expected", "error", "score", "anomaly"];
const KNOWN: [&str; 4] = ["from", "to", "limit", "format"];
/// The span that is shown when none is asked for, in milliseconds.
const DEFAULT_SPAN_MS: i64 = 24 * 60 * 60 * 1000;

/// Answers with a device's readings of a span of time.
///
/// # Errors
///
/// Names the parameter that is wrong, the device that is unknown, or the store that is away.
pub async fn handle(
    app: &App,
    device_id: &str,
    query: &str,
    accept: Option<&str>,
) -> Result<Response, ApiError> {
    answer(app, device_id, &Parameters::parse(query, &KNOWN)?, accept).await
}

/// Answers once it is clear which device is meant.
///
/// # Errors
///
/// As [`handle`].
pub async fn answer(
    app: &App,
    device_id: &str,
    parameters: &Parameters,
    accept: Option<&str>,
) -> Result<Response, ApiError> {
    let limit = parameters.number("limit", 1, 50_000, 5000)?;
    let (from, to) = parameters.span()?;
    let as_table = table::is_wanted(parameters, accept)?;
    let Some((newest, buckets)) = app.fleet.device(device_id).await? else {
        return Err(ApiError::not_found(format!("no readings of device `{device_id}` are stored")));
    };
    // Whoever asks for what is newer than the newest gets an empty list.
    let to = to.unwrap_or_else(|| newest.timestamp.max(from.unwrap_or(i64::MIN)));
    let from = from.unwrap_or_else(|| to.saturating_sub(DEFAULT_SPAN_MS));
    let mut readings = read(app, &buckets, device_id, from, to).await?;
    let truncated = readings.len() > limit;
    readings.drain(..readings.len().saturating_sub(limit));
    if as_table {
        return table::answer(COLUMNS, readings.iter().map(row));
    }
    Ok(reply::json(&ReadingsView { device_id: device_id.to_owned(), from, to, truncated, readings }))
}

async fn read(
    app: &App,
    buckets: &[String],
    device_id: &str,
    from: i64,
    to: i64,
) -> Result<Vec<ReadingView>, ApiError> {
    let mut readings = Vec::new();
    for bucket in buckets {
        let documents = app.store.results_between(bucket, device_id, from, to).await?;
        let rows = rows_by_device(&documents).remove(device_id).unwrap_or_default();
        readings.extend(rows.iter().map(ReadingView::new));
    }
    readings.retain(|reading| (from..=to).contains(&reading.timestamp));
    // Late readings are stored where they arrived.
    readings.sort_by_key(|reading| reading.timestamp);
    Ok(readings)
}

fn row(reading: &ReadingView) -> [String; COLUMNS.len()] {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        table::time(reading.timestamp),
        reading.temperature.to_string(),
        number(reading.expected),
        number(reading.error),
        number(reading.score),
        reading.anomaly.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_table() {
        let reading = ReadingView {
            timestamp: 1_767_323_045_000,
            temperature: 21.5,
            expected: None,
            error: Some(0.01),
            score: Some(1.5),
            anomaly: true,
        };
        assert_eq!(row(&reading), ["2026-01-02T03:04:05Z", "21.5", "", "0.01", "1.5", "true"]);
    }
}
