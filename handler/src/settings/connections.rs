//! Connection strings and their identity forms, taken apart; their secrets never show in a fault.

use azure_data_cosmos::AccountEndpoint;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use super::reader::Reader;
use super::{CosmosCredential, CosmosSettings};

const COSMOS: &str = "CosmosDBConnection";
const COSMOS_ENDPOINT: &str = "CosmosDBConnection__accountEndpoint";
const SIGNALR: &str = "AzureSignalRConnectionString";
const SIGNALR_URI: &str = "AzureSignalRConnectionString__serviceUri";

/// Where stored documents are read; `None` with a fault.
pub(super) fn cosmos(reader: &mut Reader<'_>) -> Option<CosmosSettings> {
    let region = reader.text("REGION_NAME");
    let (endpoint, credential) = match reader.text(COSMOS) {
        Some(connection) => with_key(reader, &connection)?,
        None => with_identity(reader)?,
    };
    Some(CosmosSettings { endpoint, credential, region })
}

fn with_key(reader: &mut Reader<'_>, connection: &str) -> Option<(AccountEndpoint, CosmosCredential)> {
    let endpoint = part(connection, "AccountEndpoint");
    let key = part(connection, "AccountKey");
    let (Some(endpoint), Some(key)) = (endpoint, key) else {
        reader.fault(format!("{COSMOS}: expected AccountEndpoint=...;AccountKey=...;"));
        return None;
    };
    let endpoint = endpoint_of(reader, COSMOS, endpoint);
    if !STANDARD.decode(key).is_ok_and(|key| !key.is_empty()) {
        reader.fault(format!("{COSMOS}: AccountKey is not base64; copy the whole connection string again"));
        return None;
    }
    Some((endpoint?, CosmosCredential::Key(SecretString::from(key.to_owned()))))
}

fn with_identity(reader: &mut Reader<'_>) -> Option<(AccountEndpoint, CosmosCredential)> {
    let Some(endpoint) = reader.text(COSMOS_ENDPOINT) else {
        reader.fault(format!("{COSMOS}: set it, or {COSMOS_ENDPOINT} for an identity"));
        return None;
    };
    let client_id = reader.text("CosmosDBConnection__clientId");
    let credential = if client_id.is_some() || reader.text("IDENTITY_ENDPOINT").is_some() {
        CosmosCredential::ManagedIdentity { client_id }
    } else {
        CosmosCredential::Developer
    };
    Some((endpoint_of(reader, COSMOS_ENDPOINT, &endpoint)?, credential))
}

fn endpoint_of(reader: &mut Reader<'_>, name: &str, text: &str) -> Option<AccountEndpoint> {
    let endpoint = text
        .parse::<AccountEndpoint>()
        .ok()
        .filter(|endpoint| matches!(endpoint.url().scheme(), "https" | "http") && endpoint.url().has_host());
    if endpoint.is_none() {
        reader.fault(format!(
            "{name}: expected an address such as https://NAME.documents.azure.com:443/, got `{text}`"
        ));
    }
    endpoint
}

/// Origin of the SignalR service, where the settings name it.
pub(super) fn signalr_origin(reader: &mut Reader<'_>) -> Option<String> {
    let from_connection = reader.text(SIGNALR).and_then(|connection| {
        let endpoint = part(&connection, "Endpoint")?.trim_end_matches('/');
        Some(match part(&connection, "Port") {
            Some(port) => format!("{endpoint}:{port}"),
            None => endpoint.to_owned(),
        })
    });
    from_connection.or_else(|| reader.text(SIGNALR_URI))
}

/// The value of `name=value` in a connection string, whose values may hold `=` themselves.
fn part<'a>(connection: &'a str, name: &str) -> Option<&'a str> {
    connection.split(';').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        (key.trim().eq_ignore_ascii_case(name) && !value.trim().is_empty()).then(|| value.trim())
    })
}
