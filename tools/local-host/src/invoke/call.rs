//! One attempt of an invocation: the request goes out, the answer is read, the outputs start together, all within `functionTimeout`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::sync::watch;
use uuid::Uuid;

use super::answer::{Answer, HttpAnswer, Reading, read_answer};
use super::client::{HandlerClient, header_text, invocation_request};
use super::outputs::{Work, plan};
use crate::config::{Function, Output, OutputKind};
use crate::cosmos::{self, ResourceNames};
use crate::handler_process::Handler;
use crate::signalr;

/// After `functionTimeout` the host waits this long before it kills the handler.
const TIMEOUT_GRACE: Duration = Duration::from_secs(2);
/// How long a call waits for a handler that starts.
const READY_WAIT: Duration = Duration::from_secs(120);

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEnd {
    /// The handler answered and all outputs were carried out.
    Succeeded(Answer),
    /// Something failed.
    Failed(String),
}

/// The clients that outputs go through, one set a host.
#[derive(Debug, Clone)]
pub struct Services {
    /// Cosmos DB.
    pub cosmos: Arc<cosmos::OutputClient>,
    /// SignalR.
    pub signalr: Arc<signalr::OutputClient>,
}

/// What an [`Invoker`] is made of.
#[derive(Debug)]
pub struct InvokerParts {
    /// The handler's process.
    pub handler: Handler,
    /// The connection to it.
    pub client: HandlerClient,
    /// Where outputs go.
    pub services: Services,
    /// `functionTimeout`; `None` is unlimited.
    pub timeout: Option<Duration>,
    /// Whether bodies go out in chunks, as in Azure, or with a length, as under Core Tools.
    pub chunked: bool,
}

/// Carries out attempts and counts those in flight.
#[derive(Debug)]
pub struct Invoker {
    parts: InvokerParts,
    in_flight: watch::Sender<usize>,
}

impl Invoker {
    /// An invoker of these parts.
    #[must_use]
    pub fn new(parts: InvokerParts) -> Self {
        Self { parts, in_flight: watch::Sender::new(0) }
    }

    /// The handler's process.
    #[must_use]
    pub fn handler(&self) -> &Handler {
        &self.parts.handler
    }

    /// The connection to the handler.
    #[must_use]
    pub fn client(&self) -> &HandlerClient {
        &self.parts.client
    }

    /// `functionTimeout`.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.parts.timeout
    }

    /// Waits until no call is in flight, at most `limit` long; says whether that was so.
    pub async fn drained(&self, limit: Duration) -> bool {
        let mut in_flight = self.in_flight.subscribe();
        let idle = in_flight.wait_for(|count| *count == 0);
        matches!(tokio::time::timeout(limit, idle).await, Ok(Ok(_)))
    }

    /// Counts a call as in flight while the returned value lives.
    #[must_use]
    pub fn track(&self) -> InFlight {
        self.in_flight.send_modify(|count| *count += 1);
        InFlight { count: self.in_flight.clone() }
    }

    /// Makes one attempt.
    pub async fn attempt(&self, function: &Arc<Function>, invocation_id: Uuid, body: String) -> CallEnd {
        let _in_flight = self.track();
        let started = Instant::now();
        let call = self.exchange(function, invocation_id, body);
        let end = self.within_timeout(call, &function.name).await.unwrap_or_else(CallEnd::Failed);
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &end {
            CallEnd::Succeeded(_) => {
                tracing::debug!(function = function.name, %invocation_id, elapsed_ms, "invocation succeeded");
            }
            CallEnd::Failed(reason) => {
                tracing::warn!(function = function.name, %invocation_id, elapsed_ms, reason, "invocation failed");
            }
        }
        end
    }

    /// Runs a call under `functionTimeout`; when that ends, the handler is killed and restarted, with every other call in flight.
    ///
    /// # Errors
    ///
    /// The message of the timeout.
    pub async fn within_timeout<T>(
        &self,
        call: impl Future<Output = T>,
        function: &str,
    ) -> Result<T, String> {
        let generation = self.parts.handler.generation();
        let Some(limit) = self.parts.timeout else { return Ok(call.await) };
        match tokio::time::timeout(limit, call).await {
            Ok(end) => Ok(end),
            Err(_) => {
                let message = format!("timeout of {limit:?} was exceeded by function `{function}`");
                tracing::error!(
                    function,
                    limit_s = limit.as_secs(),
                    "functionTimeout exceeded: the handler is killed and restarted"
                );
                tokio::time::sleep(TIMEOUT_GRACE).await;
                self.parts.handler.restart_after_timeout(generation);
                Err(message)
            }
        }
    }

    async fn exchange(&self, function: &Arc<Function>, invocation_id: Uuid, body: String) -> CallEnd {
        if let Err(reason) = self.parts.handler.wait_ready(READY_WAIT).await {
            return CallEnd::Failed(reason);
        }
        let request = invocation_request(&function.name, invocation_id, body, self.parts.chunked);
        let response = match self.parts.client.send(request).await {
            Ok(response) => response,
            Err(error) => return CallEnd::Failed(error.to_string()),
        };
        let answer = HttpAnswer {
            status: response.status().as_u16(),
            reason: response.status().canonical_reason().unwrap_or_default().to_owned(),
            content_type: header_text(response.headers(), "content-type"),
            body: response.into_body().to_vec(),
        };
        match read_answer(&answer) {
            Reading::Failed(reason) => CallEnd::Failed(reason),
            Reading::Hangs(why) => {
                tracing::error!(
                    function = function.name, %invocation_id, status = answer.status, why,
                    "the host would never complete this invocation: answer 200, application/json and at least {{}}"
                );
                std::future::pending().await
            }
            Reading::Accepted(answer) => self.carry_out(function, invocation_id, answer).await,
        }
    }

    /// Starts all outputs together. They run as tasks of their own: a call that is given up does not stop them.
    async fn carry_out(&self, function: &Arc<Function>, invocation_id: Uuid, answer: Answer) -> CallEnd {
        for line in &answer.logs {
            tracing::info!(function = function.name, %invocation_id, line, "handler log");
        }
        let plan = plan(function, &answer);
        for warning in &plan.warnings {
            tracing::warn!(function = function.name, %invocation_id, warning, "the host damages or ignores an output");
        }
        let tasks = plan.work.into_iter().map(|(output, work)| {
            let services = self.parts.services.clone();
            let output = output.clone();
            tokio::spawn(async move { carry_out_one(&services, &output, work).await })
        });
        let tasks: Vec<_> = tasks.collect();
        for end in join_all(tasks).await {
            match end {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => return CallEnd::Failed(reason),
                Err(error) => return CallEnd::Failed(format!("an output ended early: {error}")),
            }
        }
        CallEnd::Succeeded(answer)
    }
}

async fn carry_out_one(services: &Services, output: &Output, work: Work) -> Result<(), String> {
    let name = |text: &Result<String, crate::config::UnsetSetting>| {
        text.clone().map_err(|unset| format!("output `{}`: {unset}", output.name))
    };
    match (&output.kind, work) {
        (_, Work::Fail(reason)) => Err(reason),
        (OutputKind::Cosmos { database, container, .. }, Work::Upsert(documents)) => {
            let names = ResourceNames { database: name(database)?, container: name(container)? };
            let texts: Vec<String> = documents.iter().map(crate::json_net::Json::to_text).collect();
            services
                .cosmos
                .upsert_all(&names, &texts)
                .await
                .map_err(|error| format!("output `{}`: {error}", output.name))
        }
        (OutputKind::SignalR { hub, .. }, Work::Send(items)) => {
            let hub = name(hub)?;
            services
                .signalr
                .send_all(&hub, items)
                .await
                .map_err(|error| format!("output `{}`: {error}", output.name))
        }
        _ => Err(format!("output `{}` cannot take this value", output.name)),
    }
}

/// A call in flight; ends when dropped.
#[derive(Debug)]
pub struct InFlight {
    count: watch::Sender<usize>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.count.send_modify(|count| *count = count.saturating_sub(1));
    }
}
