//! An HTTP call as it reached the host, and the requests that the handler gets for it. Pure.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::invoke::{Attempt, ToHandler, add_retry_context, envelope, merge_fields, sys};
use crate::json_net::{self, Json};

/// Headers that belong to one connection and are not passed on.
const HOP_BY_HOP: [&str; 6] =
    ["connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "te"];

/// A call of an HTTP function.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// Method.
    pub method: Method,
    /// Raw path.
    pub path: String,
    /// Raw query without `?`, if there is one.
    pub query: Option<String>,
    /// Headers in the order of arrival.
    pub headers: HeaderMap,
    /// Body; empty unless the caller told its length.
    pub body: Bytes,
    /// Route values.
    pub params: Vec<(String, String)>,
}

/// The request that a forwarded function gets: the caller's own, with the host's headers.
#[must_use]
pub fn forwarded_request(inbound: &Inbound, invocation_id: Uuid) -> ToHandler {
    let mut headers = Vec::new();
    let own = ["user-agent", "content-length", "content-type"];
    for (name, value) in &inbound.headers {
        if !HOP_BY_HOP.contains(&name.as_str()) && !own.contains(&name.as_str()) {
            headers.push((name.clone(), value.clone()));
        }
    }
    headers.extend(crate::invoke::host_headers(invocation_id, inbound.headers.get("user-agent")));
    if !inbound.body.is_empty() {
        headers.push((HeaderName::from_static("content-length"), HeaderValue::from(inbound.body.len())));
        if let Some(kind) = inbound.headers.get("content-type") {
            headers.push((HeaderName::from_static("content-type"), kind.clone()));
        }
    }
    let path_and_query = match inbound.query.as_deref().map(joined_query) {
        Some(query) if !query.is_empty() => format!("{}?{query}", inbound.path),
        _ => inbound.path.clone(),
    };
    ToHandler {
        method: inbound.method.clone(),
        path_and_query,
        headers,
        body: inbound.body.clone(),
        chunked: false,
    }
}

/// The envelope of an HTTP function that is not forwarded, with its further inputs.
#[must_use]
pub fn enveloped_body(
    inbound: &Inbound,
    binding: &str,
    inputs: Vec<(String, Json)>,
    attempt: &Attempt,
) -> Json {
    let query = decoded_query(inbound.query.as_deref().unwrap_or_default());
    let params =
        Json::Object(inbound.params.iter().map(|(name, value)| (name.clone(), Json::text(value))).collect());
    let text = body_text(inbound);
    let mut request = Json::object([
        ("Url", Json::text(url(inbound))),
        ("Method", Json::text(inbound.method.as_str())),
        ("Query", query_object(&query, |values| values.join(","))),
        ("Headers", headers_object(&inbound.headers, |value| Json::Array(vec![Json::text(value)]))),
        ("Params", params),
        ("Identities", Json::Array(vec![anonymous_identity()])),
    ]);
    if let Some(text) = &text {
        request.set("Body", Json::text(text));
    }
    let mut metadata = Json::object([]);
    if let Some(Ok(fields)) = text.as_deref().filter(|_| is_json(inbound)).map(json_net::read) {
        merge_fields(&mut metadata, &fields);
    }
    for (name, values) in query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("code")) {
        metadata.set(name, Json::text(values.last().cloned().unwrap_or_default()).encoded());
    }
    for (name, value) in &inbound.params {
        metadata.set(name, Json::text(value).encoded());
    }
    metadata.set("Query", query_object(&query, |values| values.last().cloned().unwrap_or_default()));
    metadata.set("Headers", headers_object(&inbound.headers, Json::text));
    metadata.set("sys", sys(attempt));
    add_retry_context(&mut metadata, attempt);
    let mut data = vec![(binding.to_owned(), request)];
    data.extend(inputs);
    envelope(data.iter().map(|(name, value)| (name.as_str(), value.clone())), metadata)
}

/// Resolves the binding expression of a user id, such as `{headers.x-ms-client-principal-id}`.
///
/// # Errors
///
/// What is missing; the call then fails before the handler is asked.
pub fn resolve_expression(expression: &str, inbound: &Inbound) -> Result<String, String> {
    let mut resolved = String::new();
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        resolved.push_str(before);
        resolved.push_str(
            &lookup(name, inbound).ok_or_else(|| format!("`{{{name}}}` has no value in this call"))?,
        );
        rest = tail;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

fn lookup(name: &str, inbound: &Inbound) -> Option<String> {
    if let Some((scope, key)) = name.split_once('.') {
        if scope.eq_ignore_ascii_case("headers") {
            return inbound.headers.get(key).and_then(|value| value.to_str().ok()).map(str::to_owned);
        }
        if scope.eq_ignore_ascii_case("query") {
            let query = decoded_query(inbound.query.as_deref().unwrap_or_default());
            let (_, values) = query.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
            return values.last().cloned();
        }
        return None;
    }
    let param = inbound.params.iter().find(|(param, _)| param.eq_ignore_ascii_case(name));
    param.map(|(_, value)| value.clone())
}

/// Repeated names become one, joined by commas, ignoring letter case; values stay raw.
fn joined_query(query: &str) -> String {
    let mut pairs: Vec<(&str, Option<String>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (pair, None),
        };
        match pairs.iter_mut().find(|(seen, _)| seen.eq_ignore_ascii_case(name)) {
            Some((_, joined)) => {
                let joined = joined.get_or_insert_default();
                joined.push(',');
                joined.push_str(value.unwrap_or_default());
            }
            None => pairs.push((name, value.map(str::to_owned))),
        }
    }
    let text: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.to_owned(),
        })
        .collect();
    text.join("&")
}

fn decoded_query(query: &str) -> Vec<(String, Vec<String>)> {
    let mut pairs: Vec<(String, Vec<String>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        match pairs.iter_mut().find(|(seen, _)| seen.eq_ignore_ascii_case(&name)) {
            Some((_, values)) => values.push(value),
            None => pairs.push((name, vec![value])),
        }
    }
    pairs
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn query_object(query: &[(String, Vec<String>)], join: impl Fn(&[String]) -> String) -> Json {
    Json::Object(query.iter().map(|(name, values)| (name.clone(), Json::String(join(values)))).collect())
}

fn headers_object(headers: &HeaderMap, value: impl Fn(String) -> Json) -> Json {
    let fields = headers.keys().map(|name| {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        (display_name(name), value(values.join(",")))
    });
    Json::Object(fields.collect())
}

/// Well-known names as the host's web server spells them; others arrive here in lower case.
fn display_name(name: &HeaderName) -> String {
    const KNOWN: [&str; 22] = [
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Authorization",
        "Cache-Control",
        "Connection",
        "Content-Length",
        "Content-Type",
        "Cookie",
        "DNT",
        "Host",
        "If-Match",
        "If-Modified-Since",
        "If-None-Match",
        "Origin",
        "Pragma",
        "Range",
        "Referer",
        "Sec-WebSocket-Key",
        "Transfer-Encoding",
        "Upgrade-Insecure-Requests",
        "User-Agent",
    ];
    let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name.as_str()));
    known.map_or_else(|| name.as_str().to_owned(), |known| (*known).to_owned())
}

fn url(inbound: &Inbound) -> String {
    let host = inbound.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    match &inbound.query {
        Some(query) => format!("http://{host}{}?{query}", inbound.path),
        None => format!("http://{host}{}", inbound.path),
    }
}

fn body_text(inbound: &Inbound) -> Option<String> {
    if inbound.body.is_empty() {
        return None;
    }
    let kind = content_type(inbound);
    if kind == "application/octet-stream" || kind.starts_with("multipart/") {
        return Some(STANDARD.encode(&inbound.body));
    }
    Some(String::from_utf8_lossy(&inbound.body).into_owned())
}

fn is_json(inbound: &Inbound) -> bool {
    let kind = content_type(inbound);
    kind == "application/json" || kind.ends_with("+json")
}

fn content_type(inbound: &Inbound) -> String {
    let text = inbound.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn anonymous_identity() -> Json {
    let claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";
    let role = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
    Json::object([
        ("AuthenticationType", Json::Null),
        ("IsAuthenticated", Json::from(false)),
        ("Actor", Json::Null),
        ("BootstrapContext", Json::Null),
        ("Claims", Json::Array(Vec::new())),
        ("Label", Json::Null),
        ("Name", Json::Null),
        ("NameClaimType", Json::text(claims)),
        ("RoleClaimType", Json::text(role)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_query_names_are_joined() {
        assert_eq!(joined_query("x=1&x=2&code=abc&X=3"), "x=1,2,3&code=abc");
        assert_eq!(joined_query("a&b=%2F&a=1"), "a=,1&b=%2F");
    }
}
