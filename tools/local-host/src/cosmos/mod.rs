//! The local Cosmos DB account: documents enter by HTTP or from an output binding, the Rust SDK's in-memory emulator answers, a journal keeps them.
//!
//! It knows databases, containers and documents, and refuses to know what is in them: `/bucket` is just a path that a binding names.

mod account;
mod adapter;
mod emulator;
mod figures;
mod journal;
mod lagging_copy;
mod output;
mod time_to_live;
mod write;

pub use account::{Account, AccountError, Exchange, Reply, ResourceNames};
pub use adapter::router;
pub use figures::{Consumption, Figures, Kind};
pub use output::{OutputClient, UpsertError};
