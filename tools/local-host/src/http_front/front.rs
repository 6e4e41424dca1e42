//! Serving the functions' routes: which function takes a call, forwarding, the envelope, and the reply.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use jiff::Timestamp;
use uuid::Uuid;

use super::admin::{self, AdminCall};
use super::inbound::{Inbound, enveloped_body, forwarded_request, resolve_expression};
use super::route::{Route, RouteValues};
use crate::config::{Function, Settings, Trigger};
use crate::invoke::{Attempt, CallEnd, ClientError, Invoker, http_reply};
use crate::json_net::Json;
use crate::signalr;

/// The host's default limit; `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT` changes it.
const DEFAULT_BODY_LIMIT_BYTES: usize = 100 * 1024 * 1024;
/// A forwarded GET whose connection breaks is sent again so often.
const GET_RESENDS: usize = 3;

/// What a [`Front`] is made of.
#[derive(Debug)]
pub struct FrontParts {
    /// Carries out attempts.
    pub invoker: Arc<Invoker>,
    /// All functions.
    pub functions: Vec<Arc<Function>>,
    /// Settings, for connection strings.
    pub settings: Settings,
    /// Prefix of all routes.
    pub route_prefix: String,
    /// Whether functions with HTTP alone are forwarded.
    pub forward: bool,
    /// Where admin calls go.
    pub admin: tokio::sync::mpsc::Sender<AdminCall>,
}

/// The HTTP functions with their routes.
#[derive(Debug)]
pub struct Front {
    parts: FrontParts,
    routes: Vec<(Route, Arc<Function>)>,
    body_limit: usize,
}

impl Front {
    /// A front of these parts.
    #[must_use]
    pub fn new(parts: FrontParts) -> Self {
        let mut routes: Vec<(Route, Arc<Function>)> = parts
            .functions
            .iter()
            .filter_map(|function| match &function.trigger {
                Trigger::Http(http) => {
                    let route = Route::new(&parts.route_prefix, &http.route, &function.name);
                    Some((route, Arc::clone(function)))
                }
                _ => None,
            })
            .collect();
        routes.sort_by_key(|(route, _)| route.precedence());
        let limit = parts.settings.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT");
        let body_limit = limit.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_BODY_LIMIT_BYTES);
        Self { parts, routes, body_limit }
    }

    pub(super) fn parts(&self) -> &FrontParts {
        &self.parts
    }

    fn find(&self, method: &Method, path: &str) -> Option<(&Arc<Function>, RouteValues)> {
        self.routes.iter().find_map(|(route, function)| {
            let Trigger::Http(http) = &function.trigger else { return None };
            let takes = http.methods.is_empty() || http.methods.iter().any(|name| name == method.as_str());
            if !takes {
                return None;
            }
            Some((function, route.matches(path)?))
        })
    }
}

/// All routes: the host's own, then the functions'.
pub fn router(front: Arc<Front>) -> Router {
    Router::new().merge(admin::router()).fallback(serve).with_state(front)
}

async fn serve(State(front): State<Arc<Front>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some((function, params)) = front.find(&parts.method, parts.uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let told_length = parts.headers.get("content-length").is_some();
    let chunked = parts.headers.get("transfer-encoding").is_some();
    let body = match read_body(body, told_length, front.body_limit).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let inbound = Inbound {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
        params,
    };
    if front.parts.forward && function.is_http_only() {
        if chunked {
            tracing::warn!(
                function = function.name,
                "a caller's chunked request cannot be forwarded: 500, as in Azure"
            );
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        forward(&front, function, &inbound).await
    } else {
        invoke(&front, function, &inbound).await
    }
}

/// Reads the body if the caller told its length; the host does not see other bodies.
async fn read_body(body: Body, told_length: bool, limit: usize) -> Result<Bytes, StatusCode> {
    if told_length {
        return to_bytes(body, limit).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE);
    }
    // Drained all the same, so that the connection stays usable.
    let mut stream = body.into_data_stream();
    let mut seen = 0;
    while let Some(Ok(chunk)) = stream.next().await {
        seen += chunk.len();
        if seen > limit {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
    }
    Ok(Bytes::new())
}

async fn forward(front: &Front, function: &Arc<Function>, inbound: &Inbound) -> Response {
    let invoker = &front.parts.invoker;
    let _in_flight = invoker.in_flight().track();
    let request = forwarded_request(inbound, Uuid::new_v4());
    let exchange = async {
        invoker.handler().wait_ready(std::time::Duration::from_secs(120)).await?;
        let mut resends = if inbound.method == Method::GET { GET_RESENDS } else { 0 };
        loop {
            match invoker.client().send(request.clone()).await {
                Ok(response) => return Ok(response),
                Err(ClientError::Cut(_)) if resends > 0 => resends -= 1,
                Err(error) => return Err(error.to_string()),
            }
        }
    };
    let answer = invoker.within_timeout(exchange, &function.name).await;
    match answer.and_then(|answer| answer) {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            relay(parts.status, &parts.headers, body, inbound.method == Method::HEAD)
        }
        Err(reason) => {
            tracing::warn!(function = function.name, path = inbound.path, reason, "a forwarded call failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The handler's response as it is, except that a chunked one becomes one with a length.
fn relay(status: StatusCode, headers: &axum::http::HeaderMap, body: Bytes, is_head: bool) -> Response {
    let mut response = Response::new(if is_head { Body::empty() } else { Body::from(body) });
    *response.status_mut() = status;
    for (name, value) in headers {
        let of_connection = ["connection", "keep-alive", "transfer-encoding"].contains(&name.as_str());
        let own_length = name == "content-length" && !is_head;
        if !of_connection && !own_length {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

async fn invoke(front: &Front, function: &Arc<Function>, inbound: &Inbound) -> Response {
    let attempt = Attempt {
        function: function.name.clone(),
        now: Timestamp::now(),
        rand_guid: Uuid::new_v4(),
        retry: None,
    };
    let inputs = match inputs(front, function, inbound) {
        Ok(inputs) => inputs,
        Err(reason) => {
            tracing::error!(
                function = function.name,
                reason,
                "the handler is not called: an input cannot be bound"
            );
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let body = enveloped_body(inbound, &function.trigger_name, inputs, &attempt).to_text();
    match front.parts.invoker.attempt(function, Uuid::new_v4(), body).await {
        CallEnd::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        CallEnd::Succeeded(answer) => match http_reply(function, &answer) {
            Ok(reply) => {
                for warning in &reply.warnings {
                    tracing::warn!(function = function.name, warning, "the http output surprises in Azure");
                }
                respond(reply.status, reply.headers, reply.body)
            }
            Err(reason) => {
                tracing::error!(function = function.name, reason, "the http output is wrong");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        },
    }
}

fn inputs(front: &Front, function: &Function, inbound: &Inbound) -> Result<Vec<(String, Json)>, String> {
    let mut inputs = Vec::new();
    for input in &function.inputs {
        let hub = input.hub.clone().map_err(|unset| unset.to_string())?;
        let connection = front
            .parts
            .settings
            .get(&input.connection)
            .ok_or_else(|| format!("setting `{}` is not set", input.connection))?;
        let user = match &input.user_id {
            Some(expression) => Some(resolve_expression(expression, inbound)?),
            None => None,
        };
        let info = signalr::connection_info(connection, &hub, user.as_deref(), Timestamp::now())?;
        // Bound as a string: indented JSON text, as a JSON string, in a string.
        inputs.push((input.name.clone(), Json::String(info.to_indented_text()).encoded()));
    }
    Ok(inputs)
}

fn respond(status: u16, headers: Vec<(String, String)>, body: String) -> Response {
    let chunk: Result<Bytes, std::convert::Infallible> = Ok(Bytes::from(body));
    let mut response = Response::new(Body::from_stream(futures::stream::iter([chunk])));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            // Of repeated names the first one counts.
            response.headers_mut().entry(name).or_insert(value);
        }
    }
    response
}
