//! Stands in for the Azure Functions host and its services on a machine that has neither.
//!
//! Events, HTTP calls and clock ticks enter, invocations leave to the handler as the real host sends them, and the handler's outputs go to local stand-ins of Cosmos DB and SignalR.
//! It refuses to know what the functions do: it speaks to the handler by the custom-handler protocol alone.

pub mod config;
pub mod json_net;

pub mod event_hub;
pub mod http_front;
pub mod timer;

pub mod faults;

pub mod handler_process;
pub mod invoke;

pub mod blob;
pub mod cosmos;
pub mod signalr;

mod app;
mod by_hand;
mod connections;
mod figures;
mod instances;
mod listeners;
mod options;
mod outbox;

pub use app::{Addresses, LocalHost};
pub use options::Options;
