//! IoT Hub's device-to-cloud call, which the local host answers as well.
//!
//! See <https://learn.microsoft.com/rest/api/iothub/device/send-device-event>.

use crate::http::{SendError, call};
use crate::message::Message;
use crate::sas::{Signer, percent_encode};
use crate::time::now_s;
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use secrecy::ExposeSecret;
use std::collections::HashMap;

const API_VERSION: &str = "2020-03-13";

/// Sends as devices, each with its own signature where signatures are asked for.
pub(crate) struct DeviceCall {
    client: Client,
    base: String,
    /// By device id; `None` for the local host, which asks for no signature.
    signers: Option<HashMap<String, Signer>>,
}

impl DeviceCall {
    /// Sends to the local host.
    pub(crate) fn unsigned(client: Client, base: &str) -> Self {
        Self { client, base: base.trim_end_matches('/').to_owned(), signers: None }
    }

    /// Sends to IoT Hub.
    pub(crate) fn signed(client: Client, base: String, signers: HashMap<String, Signer>) -> Self {
        Self { client, base, signers: Some(signers) }
    }

    /// Address of the hub.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// As the answer says.
    pub(crate) async fn send(&self, message: &Message) -> Result<(), SendError> {
        let device = percent_encode(&message.device_id);
        let url = format!("{}/devices/{device}/messages/events?api-version={API_VERSION}", self.base);
        // Without type and encoding, IoT Hub's routes cannot look into a body.
        let mut request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("iothub-contenttype", "application/json")
            .header("iothub-contentencoding", "utf-8")
            .body(message.body.clone());
        if let Some(signers) = &self.signers {
            let Some(signer) = signers.get(&message.device_id) else {
                return Err(SendError::Hopeless(format!("has no key of device `{}`", message.device_id)));
            };
            let token = signer.token(now_s()).map_err(|error| SendError::Hopeless(error.to_string()))?;
            request = request.header(AUTHORIZATION, token.expose_secret());
        }
        call(request, None).await.map(drop)
    }
}
