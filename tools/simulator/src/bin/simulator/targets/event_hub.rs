//! Event Hubs' send call.
//!
//! See <https://learn.microsoft.com/rest/api/eventhub/send-event>.

use crate::connection_string::{ConnectionString, address};
use crate::http::{SendError, call};
use crate::message::Message;
use crate::sas::{Signer, percent_encode};
use crate::time::now_s;
use anyhow::{Result, bail};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use secrecy::ExposeSecret;

/// Sends to one event hub, with the device id as partition key.
pub(crate) struct EventHub {
    client: Client,
    url: String,
    signer: Signer,
}

impl EventHub {
    /// An event hub by its connection string; `hub` names it when the string does not.
    ///
    /// # Errors
    ///
    /// When a part is missing, or both name different hubs.
    pub(crate) fn new(client: Client, connection: &ConnectionString, hub: Option<&str>) -> Result<Self> {
        let host = event_hubs_host(connection)?;
        let path = connection.find("EntityPath").map(|path| path.expose_secret().to_owned());
        let hub = match (path, hub) {
            (Some(path), Some(hub)) if path != hub => {
                bail!("the connection string is for hub `{path}`, not `{hub}`")
            }
            (Some(path), _) => path,
            (None, Some(hub)) => hub.to_owned(),
            (None, None) => bail!("the connection string has no EntityPath: name the event hub with --hub"),
        };
        let url = format!("{}/{}", address(&host), percent_encode(&hub));
        let policy = connection.get("SharedAccessKeyName")?.expose_secret().to_owned();
        let signer = Signer::for_event_hubs(url.clone(), connection.get("SharedAccessKey")?, policy);
        Ok(Self { client, url, signer })
    }

    /// Address of the event hub.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// As the answer says.
    pub(crate) async fn send(&self, message: &Message) -> Result<(), SendError> {
        let token = self.signer.token(now_s()).map_err(|error| SendError::Hopeless(error.to_string()))?;
        let properties = serde_json::json!({ "PartitionKey": message.device_id }).to_string();
        let request = self
            .client
            .post(format!("{}/messages", self.url))
            .header(AUTHORIZATION, token.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .header("BrokerProperties", properties)
            .body(message.body.clone());
        call(request, None).await.map(drop)
    }
}

/// Host, with port if any, of `Endpoint=sb://host/`.
///
/// # Errors
///
/// When the endpoint is missing or of another form.
pub(crate) fn event_hubs_host(connection: &ConnectionString) -> Result<String> {
    let endpoint = connection.get("Endpoint")?.expose_secret();
    match endpoint.strip_prefix("sb://").map(|host| host.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains('/') => Ok(host.to_owned()),
        _ => bail!("the connection string's Endpoint is not of the form sb://host/"),
    }
}
