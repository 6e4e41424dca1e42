//! One module a function, named as its folder in `functions/` and its test.

pub mod acknowledge_alert;
pub mod announce_act;
pub mod find_readings;
pub mod get_summary;
pub mod list_alerts;
pub mod list_devices;
pub mod list_mutes;
pub mod list_readings;
pub mod list_rejects;
pub mod mute_devices;
pub mod negotiate;
pub mod score_telemetry;
pub mod send_alerts;
pub mod send_digest;
pub mod serve_dashboard;
pub mod unmute_devices;
