//! The HTTP front: callers' requests enter, the handler's answers leave, by forwarding or through the envelope.
//!
//! The host's own routes come first and never reach a function.

mod admin;
mod front;
mod inbound;
mod route;

pub use admin::{AdminCall, read_admin_input};
pub use front::{Front, FrontParts, router};
pub use inbound::{Inbound, enveloped_body, forwarded_request, resolve_expression};
pub use route::{Route, RouteValues};
