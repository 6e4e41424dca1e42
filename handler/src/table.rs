//! Rows as CSV: who wants it, and how cells are written.

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use crate::parameters::Parameters;
use crate::reply::{self, ApiError};

/// Characters that make a spreadsheet take a cell for a formula.
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Whether the caller wants CSV: by the parameter `format`, else by the header `Accept`.
///
/// # Errors
///
/// Names `format` when it is neither `json` nor `csv`.
pub fn is_wanted(parameters: &Parameters, accept: Option<&str>) -> Result<bool, ApiError> {
    Ok(match parameters.word("format", &["json", "csv"])? {
        Some(format) => format == "csv",
        None => accept.is_some_and(|accept| accept.contains("text/csv")),
    })
}

/// An answer with a head and rows.
///
/// # Errors
///
/// A fault of this program: cells that are no text.
pub fn answer<const N: usize>(
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<Response, ApiError> {
    let text = write(head, rows)
        .map_err(|error| ApiError::internal(format!("the answer cannot be written as CSV: {error}")))?;
    Ok(reply::with_body(StatusCode::OK, "text/csv; charset=utf-8", text))
}

fn write<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(head)?;
    for row in rows {
        writer.write_record(row)?;
    }
    Ok(String::from_utf8(writer.into_inner().map_err(csv::IntoInnerError::into_error)?)?)
}

/// A cell with a time, in RFC 3339.
#[must_use]
pub fn time(epoch_ms: i64) -> String {
    let time = Timestamp::from_millisecond(epoch_ms).map(|time| time.to_string());
    time.unwrap_or_else(|_| epoch_ms.to_string())
}

/// A cell with text that a device wrote: an apostrophe stands before what a spreadsheet would take for a formula.
#[must_use]
pub fn untrusted(text: &str) -> String {
    if text.starts_with(FORMULA_STARTS) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let rows = [["1".to_owned(), "a,\"b\"\nc".to_owned()]];
        assert_eq!(write(["n", "text"], rows.into_iter()).unwrap(), "n,text\n1,\"a,\"\"b\"\"\nc\"\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert_eq!(untrusted(text), format!("'{text}"));
        }
        assert_eq!(untrusted("{\"a\":1}"), "{\"a\":1}");
    }

    #[test]
    fn a_time_out_of_range_stays_a_number() {
        assert_eq!(time(1_767_323_045_000), "2026-01-02T03:04:05Z");
        assert_eq!(time(i64::MAX), i64::MAX.to_string());
    }
}
