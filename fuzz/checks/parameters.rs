//! What must hold for any query of a request.

use crate::parameters::Parameters;
use crate::place::Cursor;

const KNOWN: [&str; 8] = ["deviceId", "reason", "from", "to", "limit", "after", "format", "status"];

/// Reads all parameters as the functions do; what is refused names a parameter.
pub(crate) fn check(bytes: &[u8]) {
    let query = String::from_utf8_lossy(bytes);
    let refusal = match Parameters::parse(&query, &KNOWN) {
        Ok(parameters) => read(&parameters).err(),
        Err(refusal) => Some(refusal),
    };
    if let Some(refusal) = refusal {
        assert_eq!(refusal.status().as_u16(), 400);
        let body: serde_json::Value = serde_json::from_str(&refusal.body()).expect("an error is JSON");
        assert!(body["error"]["parameter"].is_string(), "{body}");
    }
}

fn read(parameters: &Parameters) -> Result<(), crate::reply::ApiError> {
    let (from, to) = parameters.span()?;
    assert!(from.zip(to).is_none_or(|(from, to)| from <= to));
    let limit = parameters.number("limit", 1, 1000, 100)?;
    assert!((1..=1000).contains(&limit));
    parameters.word("format", &["json", "csv"])?;
    if let Some(Ok(cursor)) = parameters.text("after").map(str::parse::<Cursor>) {
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }
    assert!(parameters.text("deviceId").is_none_or(|id| !id.is_empty()));
    Ok(())
}
