//! Stands in for the Azure Functions host and its services on a machine that has neither.
//!
//! Events, HTTP calls and clock ticks enter, invocations leave to the handler as the real host sends them, and the handler's outputs go to local stand-ins of Cosmos DB and SignalR.
//! It refuses to know what the functions do: it speaks to the handler by the custom-handler protocol alone.

pub mod config;
pub mod cosmos;
pub mod event_hub;
pub mod json_net;
