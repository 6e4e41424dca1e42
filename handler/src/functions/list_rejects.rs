//! Lists rejected events, newest first, as JSON or CSV.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use wire::api::{RejectView, RejectsView};

use crate::app::App;
use crate::parameters::Parameters;
use crate::rejects::{self, Question};
use crate::reply::{self, ApiError};
use crate::table;

const KNOWN: [&str; 7] = ["deviceId", "reason", "from", "to", "limit", "after", "format"];
/// Carries the next page's cursor beside a table.
const NEXT_HEADER: HeaderName = HeaderName::from_static("x-next");
const COLUMNS: [&str; 11] = [
    "enqueuedAt",
    "deviceId",
    "reason",
    "detail",
    "hub",
    "partition",
    "sequence",
    "index",
    "count",
    "cut",
    "text",
];

/// Answers with a page of rejects.
///
/// # Errors
///
/// Names the parameter that is wrong, or the store that is away.
pub async fn handle(app: &App, query: &str, accept: Option<&str>) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query, &KNOWN)?;
    let (from, to) = parameters.span()?;
    let question = Question {
        device_id: parameters.text("deviceId"),
        reason: parameters.text("reason"),
        from,
        to,
        after: parameters.cursor()?,
        limit: parameters.number("limit", 1, 1000, 100)?,
    };
    let as_table = table::is_wanted(&parameters, accept)?;
    let page = rejects::read(&app.store, &question).await?;
    let next = page.next.map(|cursor| cursor.to_string());
    if !as_table {
        return Ok(reply::json(&RejectsView { rejects: page.rejects, next }));
    }
    let mut answer = table::answer(COLUMNS, page.rejects.iter().map(row))?;
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        answer.headers_mut().insert(NEXT_HEADER, next);
    }
    Ok(answer)
}

fn row(reject: &RejectView) -> [String; COLUMNS.len()] {
    let untrusted = |text: &Option<String>| text.as_deref().map(table::untrusted).unwrap_or_default();
    [
        reject.enqueued_at.map(table::time).unwrap_or_default(),
        untrusted(&reject.device_id),
        reject.reason.clone(),
        table::untrusted(&reject.detail),
        reject.hub.clone(),
        reject.partition.clone(),
        reject.sequence.to_string(),
        reject.index.to_string(),
        reject.count.to_string(),
        reject.cut.to_string(),
        untrusted(&reject.text),
    ]
}
