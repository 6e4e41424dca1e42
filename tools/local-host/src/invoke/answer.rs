//! The handler's answer: an HTTP response enters, what the host makes of it leaves. Pure.
//!
//! The acceptance rules are those of `DefaultHttpWorkerService.cs` in Azure/azure-functions-host, the endless wait on an empty answer included.

use crate::json_net::{self, Json};

/// An HTTP response of the handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Status.
    pub status: u16,
    /// Reason phrase or an empty string.
    pub reason: String,
    /// Value of the Content-Type header.
    pub content_type: Option<String>,
    /// Body.
    pub body: Vec<u8>,
}

/// An accepted answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// `Outputs`: an object, or `None` when it was absent or null.
    pub outputs: Option<Json>,
    /// `Logs`, as text.
    pub logs: Vec<String>,
    /// `ReturnValue`, if not null.
    pub return_value: Option<Json>,
}

/// What the host makes of a response.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// The invocation goes on with its outputs.
    Accepted(Answer),
    /// The invocation fails.
    Failed(String),
    /// The invocation never completes: only `functionTimeout` ends it.
    Hangs(&'static str),
}

/// Reads a response.
#[must_use]
pub fn read_answer(answer: &HttpAnswer) -> Reading {
    if !(200..300).contains(&answer.status) {
        return Reading::Failed(format!(
            "Response status code does not indicate success: {} ({}).",
            answer.status, answer.reason
        ));
    }
    if !is_json(answer.content_type.as_deref()) {
        return match (answer.body.is_empty(), &answer.content_type) {
            (true, _) => Reading::Hangs("the body is empty"),
            (false, Some(kind)) => Reading::Failed(format!("content type `{kind}` is not application/json")),
            (false, None) => Reading::Failed("the answer has no content type".to_owned()),
        };
    }
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Reading::Hangs("the body is empty");
    }
    match json_net::read(text) {
        Ok(Json::Null) => Reading::Hangs("the body is `null`"),
        Ok(document) => read_document(&document),
        Err(error) => Reading::Failed(format!("the answer is not JSON: {error}")),
    }
}

fn read_document(document: &Json) -> Reading {
    let Json::Object(_) = document else {
        return Reading::Failed("the answer is not a JSON object".to_owned());
    };
    let outputs = match document.get_ignoring_case("Outputs") {
        None | Some(Json::Null) => None,
        Some(outputs @ Json::Object(_)) => Some(outputs.clone()),
        Some(_) => return Reading::Failed("`Outputs` is not an object".to_owned()),
    };
    let logs = match document.get_ignoring_case("Logs") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(lines)) => {
            let mut logs = Vec::new();
            for line in lines {
                match (line, line.scalar_text()) {
                    (Json::Null, _) => logs.push(String::new()),
                    (_, Some(text)) => logs.push(text),
                    (_, None) => return Reading::Failed("an entry of `Logs` is no scalar".to_owned()),
                }
            }
            logs
        }
        Some(_) => return Reading::Failed("`Logs` is not an array".to_owned()),
    };
    let return_value =
        document.get_ignoring_case("ReturnValue").filter(|value| **value != Json::Null).cloned();
    Reading::Accepted(Answer { outputs, logs, return_value })
}

fn is_json(content_type: Option<&str>) -> bool {
    let Some(kind) = content_type else { return false };
    let media = kind.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json") || media.eq_ignore_ascii_case("text/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, content_type: Option<&str>, body: &str) -> Reading {
        read_answer(&HttpAnswer {
            status,
            reason: String::new(),
            content_type: content_type.map(str::to_owned),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn an_empty_success_never_completes() {
        let json = Some("application/json");
        for (kind, body) in [(json, ""), (json, "null"), (None, ""), (Some("text/plain"), "")] {
            assert!(matches!(read(200, kind, body), Reading::Hangs(_)), "{kind:?} {body:?}");
        }
        assert!(matches!(read(204, None, ""), Reading::Hangs(_)));
        assert!(matches!(read(500, json, ""), Reading::Failed(_)));
        assert!(matches!(read(200, Some("text/json; charset=utf-8"), "{}"), Reading::Accepted(_)));
        assert!(matches!(read(200, None, "{}"), Reading::Failed(_)));
    }
}
