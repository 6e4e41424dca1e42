//! IoT Hub's identity registry: registers devices and learns their keys.
//!
//! See <https://learn.microsoft.com/rest/api/iothub/service/devices>.

use crate::http::{SendError, call};
use crate::sas::{Signer, percent_encode};
use crate::time::now_s;
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

const API_VERSION: &str = "2021-04-12";

/// The registry of one hub.
pub(crate) struct Registry {
    client: Client,
    base: String,
    signer: Signer,
}

/// What is needed of a device's identity.
#[derive(Deserialize)]
struct Identity {
    authentication: Authentication,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authentication {
    symmetric_key: Option<SymmetricKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SymmetricKey {
    primary_key: Option<String>,
}

impl Registry {
    /// A registry at `base`, spoken to with the rights of `signer`.
    pub(crate) fn new(client: Client, base: String, signer: Signer) -> Self {
        Self { client, base, signer }
    }

    /// Registers a device, or finds the one that exists, and gives its key.
    ///
    /// # Errors
    ///
    /// As the answer says; a device that does not sign with a key is hopeless.
    pub(crate) async fn register(&self, device_id: &str) -> Result<SecretString, SendError> {
        let identity = serde_json::json!({
            "deviceId": device_id, "status": "enabled", "authentication": { "type": "sas" }
        });
        let request = self.request(Method::PUT, device_id)?.json(&identity);
        let mut answer = call(request, Some(StatusCode::CONFLICT)).await?;
        if answer.status == StatusCode::CONFLICT {
            answer = call(self.request(Method::GET, device_id)?, None).await?;
        }
        let identity: Option<Identity> = serde_json::from_slice(&answer.body).ok();
        let key = identity.and_then(|identity| identity.authentication.symmetric_key?.primary_key);
        match key {
            Some(key) if !key.is_empty() => Ok(SecretString::from(key)),
            _ => Err(SendError::Hopeless(format!(
                "gave no key of device `{device_id}`: does it use certificates?"
            ))),
        }
    }

    fn request(&self, method: Method, device_id: &str) -> Result<reqwest::RequestBuilder, SendError> {
        let token = self.signer.token(now_s()).map_err(|error| SendError::Hopeless(error.to_string()))?;
        let url = format!("{}/devices/{}?api-version={API_VERSION}", self.base, percent_encode(device_id));
        Ok(self.client.request(method, url).header(AUTHORIZATION, token.expose_secret()))
    }
}
