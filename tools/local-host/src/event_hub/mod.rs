//! The local event hub: device messages and sent events enter, numbered events of a partition leave in order.
//!
//! It knows partitions, positions and times, and refuses to know what is in a body.

mod backlog;
mod checkpoint;
mod event;
mod ingest;
mod log;
mod ownership;
mod partition;
mod rewind;
mod trigger;

pub use backlog::{Backlog, PartitionState};
pub use checkpoint::Checkpoints;
pub use event::{Event, NewEvent, dotnet_time};
pub use ingest::{Ingest, router};
pub use log::{Hub, HubError, Position};
pub use ownership::Ownership;
pub use trigger::EventHubListener;
