//! The local SignalR service in serverless mode: output items enter, messages leave to the browsers that hold a valid token.
//!
//! It speaks the JSON hub protocol over WebSockets and refuses to know what a message means.

mod endpoint;
mod hubs;
mod item;
mod output;
mod protocol;
mod token;

pub use endpoint::{Service, router};
pub use hubs::Hubs;
pub use item::{GroupAction, Item, Scope, read_item};
pub use output::OutputClient;
pub use token::{Keys, connection_info};
