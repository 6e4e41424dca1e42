//! The local SignalR service in serverless mode: output items enter, messages leave to the browsers that hold a valid token.
//!
//! It speaks the JSON hub protocol over WebSockets and refuses to know what a message means.

mod hubs;
mod item;
mod protocol;
mod service;
mod token;

pub use hubs::Hubs;
pub use item::{GroupAction, Item, Scope, read_item};
pub use service::{Service, router};
pub use token::{Keys, connection_info};
