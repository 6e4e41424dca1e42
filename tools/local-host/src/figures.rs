//! What the services have been asked to do: sums of the account and the state of the partitions leave as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde::Serialize;

use crate::cosmos::{Account, Consumption, Kind};
use crate::event_hub::{Backlog, PartitionState};

/// Where figures come from.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) account: Arc<Account>,
    /// The event hub, if a function listens to one.
    pub(crate) backlog: Option<Backlog>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    cosmos: BTreeMap<Kind, Consumption>,
    partitions: Vec<PartitionState>,
}

/// The route of the figures.
pub(crate) fn router(sources: Sources) -> Router {
    Router::new().route("/local-host/figures", get(show)).with_state(Arc::new(sources))
}

async fn show(State(sources): State<Arc<Sources>>) -> Response {
    let partitions = match sources.backlog.as_ref().map(Backlog::partitions).transpose() {
        Ok(partitions) => partitions.unwrap_or_default(),
        Err(error) => return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    };
    Json(Figures { cosmos: sources.account.figures().sums(), partitions }).into_response()
}
