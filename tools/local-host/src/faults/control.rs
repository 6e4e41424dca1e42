//! The switches: JSON enters by HTTP on the local host's own port, the present faults leave.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde::Serialize;
use serde_json::json;

use super::{Faults, Once, Standing};

/// What a look at the faults shows.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    standing: Standing,
    /// What happens once and has not yet.
    waiting: Vec<Once>,
    /// The owner of each partition.
    owners: Vec<usize>,
}

/// The routes of the switches.
pub fn router(faults: Arc<Faults>) -> Router {
    let methods = get(show).put(stand).post(happen).delete(end);
    Router::new().route("/local-host/faults", methods).with_state(faults)
}

async fn show(State(faults): State<Arc<Faults>>) -> Response {
    let owners = faults.ownership.owners();
    Json(Report { standing: faults.standing(), waiting: faults.waiting(), owners }).into_response()
}

async fn stand(
    State(faults): State<Arc<Faults>>,
    standing: Result<Json<Standing>, JsonRejection>,
) -> Response {
    match standing {
        Ok(Json(standing)) => {
            tracing::warn!(faults = %json!(standing), "faults are set");
            faults.stand(&standing);
            faults.settled().await;
            show(State(faults)).await
        }
        Err(rejection) => refuse(&rejection.body_text()),
    }
}

async fn happen(State(faults): State<Arc<Faults>>, once: Result<Json<Once>, JsonRejection>) -> Response {
    let happened = match once {
        Ok(Json(once)) => {
            tracing::warn!(fault = %json!(once), "a fault is ordered");
            faults.happen(once).await
        }
        Err(rejection) => Err(rejection.body_text()),
    };
    match happened {
        Ok(()) => show(State(faults)).await,
        Err(reason) => refuse(&reason),
    }
}

async fn end(State(faults): State<Arc<Faults>>) -> Response {
    tracing::warn!("all faults end");
    faults.end();
    faults.settled().await;
    show(State(faults)).await
}

fn refuse(reason: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("no such fault: {reason}\n")).into_response()
}
