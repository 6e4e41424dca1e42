//! The custom handler of the Functions app, as a library: the program in `main.rs` is its table of contents.
//!
//! Invocations and HTTP requests enter through [`router`]; [`scoring`] turns events into facts and documents;
//! [`store`] reads what the host wrote.
//! What it decides leaves in its answers, and the host's bindings store it; the one kind of document that the handler
//! writes itself says what [`notifications`] told people.

#![recursion_limit = "256"] // The Cosmos client nests its futures deeper than the default.

/// Batches allocate and free the same sizes again and again; the system's allocator takes a tenth of the hot path.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(test)]
extern crate self as handler;

pub mod access;
pub mod alerts;
pub mod app;
pub mod blobs;
pub mod check;
pub mod clock;
pub mod fleet;
pub mod functions;
pub mod lifecycle;
pub mod live;
pub mod logs;
pub mod mail;
pub mod model;
pub mod notifications;
pub mod page;
pub mod parameters;
pub mod people;
pub mod rejects;
pub mod reply;
pub mod router;
pub mod scoring;
pub mod settings;
mod shared_read;
pub mod store;
pub mod table;
