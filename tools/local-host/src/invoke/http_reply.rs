//! The http output: an accepted answer enters, the reply to the caller leaves. Pure.
//!
//! The rules are those of `HttpBinding.cs` and `RawScriptResult.cs` in Azure/azure-functions-host.

use super::answer::Answer;
use super::outputs::merged_outputs;
use crate::config::{Function, OutputKind};
use crate::json_net::{self, Json};

/// A reply to an HTTP caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
    /// What would surprise in Azure.
    pub warnings: Vec<String>,
}

impl HttpReply {
    fn text(status: u16, body: String) -> Self {
        let headers = vec![("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        Self { status, headers, body, warnings: Vec::new() }
    }
}

/// Makes the reply of an enveloped HTTP function.
///
/// # Errors
///
/// What is wrong with the output; the caller then gets 500.
pub fn http_reply(function: &Function, answer: &Answer) -> Result<HttpReply, String> {
    let outputs = merged_outputs(function, answer);
    let binding = function.outputs.iter().find(|output| output.kind == OutputKind::Http);
    let value = binding.and_then(|binding| outputs.get(&binding.name)).filter(|value| **value != Json::Null);
    match (value, &answer.return_value, &answer.outputs) {
        (Some(value), _, _) => from_output(value),
        (None, Some(value), _) => {
            Ok(HttpReply::text(200, value.scalar_text().unwrap_or_else(|| value.to_text())))
        }
        (None, None, Some(_)) => Ok(HttpReply::text(200, "{}".to_owned())),
        (None, None, None) => {
            Ok(HttpReply { status: 204, headers: Vec::new(), body: String::new(), warnings: Vec::new() })
        }
    }
}

fn from_output(value: &Json) -> Result<HttpReply, String> {
    match value {
        Json::Object(_) => from_object(value),
        Json::String(text) => match json_net::read(text) {
            Ok(object @ Json::Object(_)) => from_object(&object),
            _ => Err("the http output is a string that is no JSON object".to_owned()),
        },
        _ => Err(format!("the http output is no object: {}", value.to_text())),
    }
}

fn from_object(value: &Json) -> Result<HttpReply, String> {
    let mut warnings = Vec::new();
    let status = match value.get_ignoring_case("statusCode") {
        None | Some(Json::Null) => {
            if value.get_ignoring_case("status").is_some() {
                warnings.push("`status` is ignored by the host: say `statusCode`".to_owned());
            }
            200
        }
        Some(code) => code
            .scalar_text()
            .and_then(|text| text.trim().parse::<u16>().ok())
            .filter(|status| (100..1000).contains(status))
            .ok_or_else(|| format!("statusCode is no status: {}", code.to_text()))?,
    };
    let body = match value.get_ignoring_case("body") {
        None | Some(Json::Null) => String::new(),
        Some(body @ (Json::Object(_) | Json::Array(_))) => body.to_indented_text(),
        Some(Json::Date(date)) => date.original().to_owned(),
        Some(body) => body.scalar_text().unwrap_or_default(),
    };
    let mut reply = HttpReply::text(status, body);
    if let Some(Json::Object(headers)) = value.get_ignoring_case("headers") {
        for (name, value) in headers {
            let Some(text) = header_text(value) else {
                return Err(format!("header `{name}` has no text value"));
            };
            if name.eq_ignore_ascii_case("content-type") {
                reply.headers[0].1 = with_charset(&text);
            } else {
                reply.headers.push((name.clone(), text));
            }
        }
    }
    reply.warnings = warnings;
    Ok(reply)
}

fn header_text(value: &Json) -> Option<String> {
    match value {
        Json::Date(date) => Some(date.original().to_owned()),
        _ => value.scalar_text(),
    }
}

fn with_charset(content_type: &str) -> String {
    if content_type.to_ascii_lowercase().contains("charset=") {
        content_type.to_owned()
    } else {
        format!("{content_type}; charset=utf-8")
    }
}
