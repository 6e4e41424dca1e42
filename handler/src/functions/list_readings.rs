//! Lists a device's readings with their scores, as JSON or CSV.

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use wire::api::{ReadingView, ReadingsView};
use wire::stored::rows_by_device;

use crate::app::App;
use crate::parameters::Parameters;
use crate::reply::{self, ApiError};

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
    let parameters = Parameters::parse(query, &KNOWN)?;
    let limit = parameters.number("limit", 1, 50_000, 5000)?;
    let (from, to) = (parameters.time_ms("from")?, parameters.time_ms("to")?);
    let format = parameters.word("format", &["json", "csv"])?;
    let as_csv =
        format.map_or_else(|| accept.is_some_and(|accept| accept.contains("text/csv")), |word| word == "csv");
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(ApiError::parameter("from", "is later than `to`"));
    }
    let Some((newest, buckets)) = app.fleet.device(device_id).await? else {
        return Err(ApiError::not_found(format!("no readings of device `{device_id}` are stored")));
    };
    // Whoever asks for what is newer than the newest gets an empty list.
    let to = to.unwrap_or_else(|| newest.timestamp.max(from.unwrap_or(i64::MIN)));
    let from = from.unwrap_or_else(|| to.saturating_sub(DEFAULT_SPAN_MS));
    let mut readings = read(app, &buckets, device_id, from, to).await?;
    let truncated = readings.len() > limit;
    readings.drain(..readings.len().saturating_sub(limit));
    if as_csv {
        return csv_of(&readings);
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

fn csv_of(readings: &[ReadingView]) -> Result<Response, ApiError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = write_rows(&mut writer, readings);
    let body =
        written.and_then(|()| writer.into_inner().map_err(|error| csv::Error::from(error.into_error())));
    let text = body.map(String::from_utf8).map_err(|error| ApiError::internal(error.to_string()))?;
    let text = text.map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(reply::with_body(StatusCode::OK, "text/csv; charset=utf-8", text))
}

fn write_rows(writer: &mut csv::Writer<Vec<u8>>, readings: &[ReadingView]) -> csv::Result<()> {
    writer.write_record(["timestamp", "temperature", "expected", "error", "score", "anomaly"])?;
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for reading in readings {
        let time = Timestamp::from_millisecond(reading.timestamp).map(|time| time.to_string());
        writer.write_record([
            time.unwrap_or_else(|_| reading.timestamp.to_string()),
            reading.temperature.to_string(),
            number(reading.expected),
            number(reading.error),
            number(reading.score),
            reading.anomaly.to_string(),
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_csv() {
        let reading = ReadingView {
            timestamp: 1_767_323_045_000,
            temperature: 21.5,
            expected: None,
            error: Some(0.01),
            score: Some(1.5),
            anomaly: true,
        };
        let mut writer = csv::Writer::from_writer(Vec::new());
        write_rows(&mut writer, &[reading]).unwrap();
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        assert_eq!(
            text,
            "timestamp,temperature,expected,error,score,anomaly\n2026-01-02T03:04:05Z,21.5,,0.01,1.5,true\n"
        );
    }
}
