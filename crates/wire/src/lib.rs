//! Every format that crosses a process boundary: invocations, telemetry, documents, live messages, API payloads.
//!
//! Types here are contracts with another process or with yesterday's documents; the core keeps its own types and is
//! converted to these by hand.

pub mod api;
pub mod bindings;
pub mod documents;
mod epoch_ms;
pub mod invocation;
pub mod model_card;
pub mod notifications;
pub mod people;
mod plain;
pub mod position;
pub mod snapshot;
pub mod stored;
pub mod telemetry;
