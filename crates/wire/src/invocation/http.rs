//! The HTTP trigger's request in its envelope, as functions get it that have more bindings than HTTP in and out.
//!
//! Enters: the request's body. Leaves: the caller's request, and other inputs such as SignalR's connection info. It refuses
//! to know routes and who the caller is: headers arrive as the caller sent them, forged ones included.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{InvocationError, Retry, text_of};

/// A caller's request, as the host wrapped it.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Absolute URL, with the query.
    pub url: String,
    /// Method in the caller's letter case.
    pub method: String,
    /// Query parameters, decoded; repeated ones are joined by commas.
    pub query: BTreeMap<String, String>,
    /// What the route's placeholders stand for.
    pub params: BTreeMap<String, String>,
    /// The body: base64 for `application/octet-stream` and multipart, else text; absent when empty, or when the caller sent
    /// it chunked (the host drops it).
    pub body: Option<String>,
    headers: BTreeMap<String, Vec<String>>,
    inputs: BTreeMap<String, String>,
}

/// What a browser needs to connect to SignalR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The hub's address.
    pub url: String,
    /// The right to connect to it.
    pub access_token: AccessToken,
}

/// A secret that `Debug` does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl HttpRequest {
    /// Reads the request's body; `binding` is the trigger's name in function.json.
    ///
    /// # Errors
    ///
    /// [`InvocationError`] when the body is not an envelope with such a request.
    pub fn parse(body: &[u8], binding: &str) -> Result<Self, InvocationError> {
        let Inputs { mut inputs, .. } = read_inputs(body)?;
        let input = inputs
            .remove(binding)
            .ok_or_else(|| InvocationError::MissingInput { binding: binding.to_owned() })?;
        let raw: RawRequest =
            serde_json::from_str(input.get()).map_err(|error| InvocationError::Encoding {
                binding: binding.to_owned(),
                expected: "the request's object",
                found: format!("another shape ({:?} error)", error.classify()).to_lowercase(),
                cure: "check that the function's trigger is an httpTrigger",
            })?;
        Ok(Self {
            url: raw.url,
            method: raw.method,
            query: raw.query.unwrap_or_default(),
            params: raw.params.unwrap_or_default(),
            body: raw.body,
            headers: lower_case(raw.headers.unwrap_or_default()),
            inputs: inputs.into_iter().map(|(name, json)| (name, json.get().to_owned())).collect(),
        })
    }

    /// The first value of a header, in whatever letter case its name is given.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_ascii_lowercase())?.first().map(String::as_str)
    }

    /// All headers, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.headers.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The connection info that the host made for the input binding of that name.
    ///
    /// # Errors
    ///
    /// [`InvocationError`] when there is no such input, or it is not a connection info.
    pub fn connection_info(&self, binding: &str) -> Result<ConnectionInfo, InvocationError> {
        let json = self
            .inputs
            .get(binding)
            .ok_or_else(|| InvocationError::MissingInput { binding: binding.to_owned() })?;
        // JSON text of a string, in which there is JSON text of the object; some versions leave one layer out.
        let raw = serde_json::from_str::<Layered>(json).ok().and_then(Layered::unwrapped);
        let Some(raw) = raw else {
            return Err(InvocationError::Encoding {
                binding: binding.to_owned(),
                expected: "a connection info as text",
                found: "something else".to_owned(),
                cure: "check that the binding is a signalRConnectionInfo",
            });
        };
        Ok(ConnectionInfo { url: raw.url, access_token: AccessToken(raw.access_token) })
    }
}

impl fmt::Debug for HttpRequest {
    /// Leaves out headers, query, body and other inputs, which may hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        formatter
            .debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &path)
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

impl ConnectionInfo {
    /// What the SignalR client expects as the answer to its negotiation.
    ///
    /// The text holds the token: do not log it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let raw = RawConnectionInfo { url: self.url.clone(), access_token: self.access_token.0.clone() };
        // Two strings always serialize.
        serde_json::to_string(&raw).unwrap_or_default()
    }
}

impl AccessToken {
    /// Wraps a token.
    #[must_use]
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The token itself, to be sent and never logged.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessToken(..)")
    }
}

/// All inputs of an envelope as JSON text, and the attempt.
pub(super) struct Inputs<'a> {
    pub(super) inputs: BTreeMap<String, &'a RawValue>,
    pub(super) retry: Retry,
}

/// Reads an envelope whose inputs are small.
pub(super) fn read_inputs(body: &[u8]) -> Result<Inputs<'_>, InvocationError> {
    let text = text_of(body)?;
    let envelope: RawEnvelope<'_> =
        serde_json::from_str(text).map_err(|error| InvocationError::unreadable("envelope", &error))?;
    let retry = envelope.metadata.and_then(|metadata| metadata.retry_context).unwrap_or_default();
    Ok(Inputs { inputs: envelope.data, retry })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawEnvelope<'a> {
    #[serde(borrow)]
    data: BTreeMap<String, &'a RawValue>,
    metadata: Option<RawMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawMetadata {
    retry_context: Option<Retry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRequest {
    url: String,
    method: String,
    query: Option<BTreeMap<String, String>>,
    headers: Option<BTreeMap<String, Vec<String>>>,
    params: Option<BTreeMap<String, String>>,
    body: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawConnectionInfo {
    url: String,
    access_token: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Layered {
    Text(String),
    Object(RawConnectionInfo),
}

impl Layered {
    fn unwrapped(self) -> Option<RawConnectionInfo> {
        match self {
            Self::Object(raw) => Some(raw),
            Self::Text(text) => match serde_json::from_str(&text).ok()? {
                Self::Object(raw) => Some(raw),
                Self::Text(text) => serde_json::from_str(&text).ok(),
            },
        }
    }
}

fn lower_case(headers: BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let mut lower: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, values) in headers {
        lower.entry(name.to_ascii_lowercase()).or_default().extend(values);
    }
    lower
}
