//! Connection strings of this machine: settings enter, settings that lead to the bound ports leave, so that the handler finds what runs here.

use std::sync::Arc;

use crate::app::Addresses;
use crate::config::{ConnectionString, Function, OutputKind, Settings};
use crate::signalr::Keys;

/// The namespace's host name as the handler sees it in the partition context.
pub(crate) fn namespace(settings: &Settings) -> String {
    if let Some(name) = settings.get("EventHubConnection__fullyQualifiedNamespace") {
        return name.to_owned();
    }
    let connection = ConnectionString::parse(settings.get("EventHubConnection").unwrap_or_default());
    let endpoint = connection.get("Endpoint").unwrap_or("sb://127.0.0.1/");
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    host.trim_end_matches('/').to_owned()
}

/// Points connection strings of this machine at the bound ports, for the handler too, and collects the SignalR keys.
pub(crate) fn lead_connections_here(
    functions: &[Arc<Function>],
    settings: &mut Settings,
    addresses: Addresses,
) -> Keys {
    let mut keys = Keys::default();
    let mut seen = Vec::new();
    let outputs = functions.iter().flat_map(|function| &function.outputs).map(|output| &output.kind);
    for kind in outputs {
        if let OutputKind::Cosmos { connection, .. } = kind {
            let text = settings.get(connection).unwrap_or_default();
            let parsed = ConnectionString::parse(text);
            if text.is_empty() || parsed.is_loopback("AccountEndpoint") {
                let moved = parsed.with("AccountEndpoint", &format!("http://{}/", addresses.cosmos));
                let moved = if moved.get("AccountKey").is_none() {
                    moved.with("AccountKey", "bG9jYWw=")
                } else {
                    moved
                };
                settings.set(connection, moved.expose());
            } else {
                tracing::warn!(
                    setting = connection,
                    "names an account elsewhere; outputs go to the local one all the same"
                );
            }
        }
    }
    let of_outputs =
        functions.iter().flat_map(|function| &function.outputs).filter_map(|output| match &output.kind {
            OutputKind::SignalR { connection, .. } => Some(connection),
            _ => None,
        });
    let of_inputs = functions.iter().flat_map(|function| &function.inputs).map(|input| &input.connection);
    for connection in of_outputs.chain(of_inputs) {
        if seen.contains(&connection) {
            continue;
        }
        seen.push(connection);
        let Some(text) = settings.get(connection) else { continue };
        let parsed = ConnectionString::parse(text);
        if parsed.is_loopback("Endpoint") {
            let moved = parsed
                .with("Endpoint", "http://127.0.0.1")
                .with("Port", &addresses.signalr.port().to_string());
            keys.add(&moved.expose());
            settings.set(connection, moved.expose());
        } else {
            tracing::warn!(
                setting = connection,
                "names a service elsewhere; messages go to the local one all the same"
            );
            keys.add(text.to_owned().as_str());
        }
    }
    keys
}
