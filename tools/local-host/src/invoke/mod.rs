//! Invocations: a stimulus enters, the handler is asked, its outputs are carried out, success or failure leaves.
//!
//! `request`, `answer`, `outputs` and `http_reply` are pure; `call` does the I/O of one attempt, `retry` repeats it.

mod answer;
mod call;
mod carry_out;
mod client;
mod http_reply;
mod in_flight;
mod kill_point;
mod outputs;
mod request;
mod retry;

pub use answer::{Answer, HttpAnswer, Reading, read_answer};
pub use call::{CallEnd, Invoker, InvokerParts};
pub use carry_out::Services;
pub(crate) use client::host_headers;
pub use client::{ClientError, HandlerClient, ToHandler, invocation_request};
pub use http_reply::{HttpReply, http_reply};
pub use in_flight::{Call, InFlight};
pub use outputs::{Plan, Work, plan};
pub use request::{
    Attempt, BindError, Failure, RetryState, Source, TimerStatus, event_hub, event_hub_admin, timer,
};
pub(crate) use request::{add_retry_context, envelope, merge_fields, sys};
pub use retry::{Series, SeriesEnd, delay_before_retry};
