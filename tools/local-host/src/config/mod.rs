//! What the script root and the environment say: settings, `host.json` and one `function.json` a function enter, checked structures leave.
//!
//! It refuses to know how anything of it is carried out.

mod connection;
mod function;
mod function_file;
mod host_json;
mod settings;

pub use connection::{ConnectionString, ConnectionStringError};
pub use function::{
    ConnectionInfoInput, EventHubTrigger, Function, HttpTrigger, Output, OutputKind, TimerTrigger, Trigger,
};
pub use function_file::{Load, load_functions, parse_function};
pub use host_json::{HostConfig, HostConfigError};
pub use settings::{Settings, SettingsError, UnsetSetting};
