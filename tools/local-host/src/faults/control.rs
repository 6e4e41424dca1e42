//! The switches: JSON enters by HTTP on the local host's own port, the present faults leave.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::json;

use super::{Faults, Standing};

/// The routes of the switches.
pub fn router(faults: Arc<Faults>) -> Router {
    Router::new().route("/local-host/faults", get(show).put(stand)).with_state(faults)
}

async fn show(State(faults): State<Arc<Faults>>) -> Response {
    Json(faults.standing()).into_response()
}

async fn stand(
    State(faults): State<Arc<Faults>>,
    standing: Result<Json<Standing>, JsonRejection>,
) -> Response {
    match standing {
        Ok(Json(standing)) => {
            tracing::warn!(faults = %json!(standing), "faults are set");
            faults.stand(&standing);
            Json(faults.standing()).into_response()
        }
        Err(rejection) => refuse(&rejection),
    }
}

fn refuse(rejection: &JsonRejection) -> Response {
    (StatusCode::BAD_REQUEST, format!("no such faults: {}\n", rejection.body_text())).into_response()
}
