//! Functions called by hand: calls enter from the admin API, each runs in the background and tells nobody how it ended.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::config::Trigger;
use crate::http_front::AdminCall;
use crate::invoke::{Invoker, Series, event_hub_admin};
use crate::timer::TimerListener;

/// Serves calls until nobody can make any more.
pub(crate) async fn serve_admin_calls(
    mut inbox: mpsc::Receiver<AdminCall>,
    invoker: Arc<Invoker>,
    timers: Vec<TimerListener>,
    stop: watch::Receiver<bool>,
) {
    while let Some(call) = inbox.recv().await {
        let invoker = Arc::clone(&invoker);
        let timers = timers.clone();
        let stop = stop.clone();
        tokio::spawn(async move { admin_call(&call, &invoker, &timers, stop).await });
    }
}

async fn admin_call(
    call: &AdminCall,
    invoker: &Invoker,
    timers: &[TimerListener],
    stop: watch::Receiver<bool>,
) {
    let function = &call.function;
    let Some(input) = call.input.as_deref() else {
        tracing::error!(function = function.name, "an admin call without `input` fails in the background");
        return;
    };
    tracing::info!(function = function.name, "called by hand");
    match &function.trigger {
        Trigger::Http(_) => {
            tracing::error!(function = function.name, "an HTTP function is called by its route, not by hand");
        }
        Trigger::Timer(_) => {
            if let Some(timer) = timers.iter().find(|timer| timer.function.name == function.name) {
                timer.call_by_hand(input).await;
            }
        }
        Trigger::EventHub(trigger) => {
            let series = Series { invoker, function, fresh_ids: true, gives_up: false, stop };
            series
                .run(|attempt| {
                    event_hub_admin(trigger, &function.trigger_name, input, attempt)
                        .map_err(|error| error.to_string())
                })
                .await;
        }
    }
}
