//! One attempt of an invocation: the request goes out, the answer is read, the outputs start together, all within `functionTimeout`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::answer::{Answer, HttpAnswer, Reading, read_answer};
use super::carry_out::{OutputsEnd, Services, carry_out};
use super::client::{HandlerClient, header_text, invocation_request};
use super::in_flight::InFlight;
use super::kill_point::KillPoint;
use super::outputs::plan;
use crate::config::{Function, Trigger};
use crate::faults::{CallFault, CallFaults};
use crate::handler_process::Handler;

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

/// What an [`Invoker`] is made of.
#[derive(Debug)]
pub struct InvokerParts {
    /// The handler's process.
    pub handler: Handler,
    /// The connection to it.
    pub client: HandlerClient,
    /// Where outputs go.
    pub services: Services,
    /// Calls that are cut short.
    pub calls: Arc<CallFaults>,
    /// `functionTimeout`; `None` is unlimited.
    pub timeout: Option<Duration>,
    /// Whether bodies go out in chunks, as in Azure, or with a length, as under Core Tools.
    pub chunked: bool,
}

/// Carries out attempts and counts those in flight.
#[derive(Debug)]
pub struct Invoker {
    parts: InvokerParts,
    in_flight: InFlight,
}

impl Invoker {
    /// An invoker of these parts.
    #[must_use]
    pub fn new(parts: InvokerParts) -> Self {
        Self { parts, in_flight: InFlight::default() }
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

    /// The calls in flight.
    #[must_use]
    pub fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    /// Makes one attempt.
    pub async fn attempt(&self, function: &Arc<Function>, invocation_id: Uuid, body: String) -> CallEnd {
        let _in_flight = self.in_flight.track();
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
        let fault = self.fault(function, invocation_id);
        let kill = KillPoint::of(fault, &self.parts.handler);
        let response = match self.parts.client.exchange(request, kill).await {
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
            Reading::Accepted(answer) => self.carry_out(function, invocation_id, answer, fault).await,
        }
    }

    /// Carries out what the answer says.
    async fn carry_out(
        &self,
        function: &Arc<Function>,
        invocation_id: Uuid,
        answer: Answer,
        fault: Option<CallFault>,
    ) -> CallEnd {
        for line in &answer.logs {
            tracing::info!(function = function.name, %invocation_id, line, "handler log");
        }
        let plan = plan(function, &answer);
        for warning in &plan.warnings {
            tracing::warn!(function = function.name, %invocation_id, warning, "the host damages or ignores an output");
        }
        let handler = &self.parts.handler;
        match carry_out(&self.parts.services, plan.work, handler, fault).await {
            OutputsEnd::Done => CallEnd::Succeeded(answer),
            OutputsEnd::Failed(reason) => CallEnd::Failed(reason),
            OutputsEnd::Abandoned => {
                handler.kill().await;
                CallEnd::Failed(format!("function `{}` was given up, as at its timeout", function.name))
            }
        }
    }

    /// What happens to the call; only those of the Event Hubs trigger are cut short.
    fn fault(&self, function: &Function, invocation_id: Uuid) -> Option<CallFault> {
        let Trigger::EventHub(_) = function.trigger else { return None };
        let fault = self.parts.calls.next()?;
        tracing::warn!(function = function.name, %invocation_id, ?fault, "a call is cut short, as ordered");
        Some(fault)
    }
}
