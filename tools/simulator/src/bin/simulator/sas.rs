//! Shared access signatures for IoT Hub and Event Hubs.
//!
//! A key, a resource and the time enter, a token leaves. The key is kept as a secret and never printed.
//! See <https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas>.

use anyhow::{Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;
use std::sync::{Mutex, PoisonError};

/// Letters, digits and these stay as they are in a URL.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// How long a token is good for, in seconds.
const LIFETIME_S: i64 = 3600;
/// A token is replaced this long before its end, in seconds.
const MARGIN_S: i64 = 300;

/// Percent-encodes a path segment or a parameter.
pub(crate) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Signs for one resource.
pub(crate) struct Signer {
    resource: String,
    key: SecretSlice<u8>,
    policy: Option<String>,
    token: Mutex<Option<Token>>,
}

struct Token {
    text: SecretString,
    expires_s: i64,
}

impl Signer {
    /// Signs with an IoT Hub key, which is base64 of the key's bytes.
    ///
    /// # Errors
    ///
    /// When the key is not base64.
    pub(crate) fn for_iot_hub(resource: String, key: &SecretString, policy: Option<String>) -> Result<Self> {
        let Ok(key) = STANDARD.decode(key.expose_secret()) else {
            bail!("the SharedAccessKey for `{resource}` is not base64");
        };
        Ok(Self { resource, key: SecretSlice::from(key), policy, token: Mutex::new(None) })
    }

    /// Signs with an Event Hubs key, whose text itself is the key.
    pub(crate) fn for_event_hubs(resource: String, key: &SecretString, policy: String) -> Self {
        let key = SecretSlice::from(key.expose_secret().as_bytes().to_vec());
        Self { resource, key, policy: Some(policy), token: Mutex::new(None) }
    }

    /// The token to send at `now_s` (epoch seconds); made anew only when the last one is about to end.
    ///
    /// # Errors
    ///
    /// When the key is of no use to HMAC.
    pub(crate) fn token(&self, now_s: i64) -> Result<SecretString> {
        let mut held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = held.as_ref().filter(|token| token.expires_s - MARGIN_S > now_s) {
            return Ok(token.text.clone());
        }
        let expires_s = now_s.saturating_add(LIFETIME_S);
        let text = SecretString::from(self.sign(expires_s)?);
        *held = Some(Token { text: text.clone(), expires_s });
        Ok(text)
    }

    fn sign(&self, expires_s: i64) -> Result<String> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.expose_secret()) else {
            bail!("the SharedAccessKey for `{}` cannot be used to sign", self.resource);
        };
        let resource = percent_encode(&self.resource);
        mac.update(format!("{resource}\n{expires_s}").as_bytes());
        let signature = percent_encode(&STANDARD.encode(mac.finalize().into_bytes()));
        let policy = match &self.policy {
            Some(policy) => format!("&skn={}", percent_encode(policy)),
            None => String::new(),
        };
        Ok(format!("SharedAccessSignature sr={resource}&sig={signature}&se={expires_s}{policy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRES_S: i64 = 1_767_326_645;
    const DEVICE: &str = "SharedAccessSignature sr=hub.azure-devices.net%2Fdevices%2Ffridge-001\
        &sig=kUc6AaLXMB9f5goQT12FsyNaFry3zk%2BYfPfjrQfxhY8%3D&se=1767326645";
    const REGISTRY: &str = "SharedAccessSignature sr=hub.azure-devices.net\
        &sig=mYShu6XXUm0ZuAW9LbuquTKA6wDdyb%2Bayzi5KPRUFYA%3D&se=1767326645&skn=iothubowner";
    const EVENT_HUB: &str = "SharedAccessSignature sr=https%3A%2F%2Fns.servicebus.windows.net%2Ftelemetry\
        &sig=hBVOGY353sW%2FdSNJ6KDCKLLojR9c3EpwACviVfPNUw0%3D&se=1767326645&skn=send";

    fn key() -> SecretString {
        SecretString::from("c2VjcmV0a2V5MTIzNDU2Nzg5MA==")
    }

    #[test]
    fn tokens_equal_those_of_an_independent_implementation() {
        let device =
            Signer::for_iot_hub("hub.azure-devices.net/devices/fridge-001".into(), &key(), None).unwrap();
        assert_eq!(device.sign(EXPIRES_S).unwrap(), DEVICE);
        let policy = Some("iothubowner".to_owned());
        let registry = Signer::for_iot_hub("hub.azure-devices.net".into(), &key(), policy).unwrap();
        assert_eq!(registry.sign(EXPIRES_S).unwrap(), REGISTRY);
        let url = "https://ns.servicebus.windows.net/telemetry";
        let event_hub = Signer::for_event_hubs(url.into(), &key(), "send".into());
        assert_eq!(event_hub.sign(EXPIRES_S).unwrap(), EVENT_HUB);
    }

    #[test]
    fn a_token_is_kept_until_shortly_before_its_end() {
        let signer = Signer::for_iot_hub("h".into(), &key(), None).unwrap();
        let token = |now_s| signer.token(now_s).unwrap().expose_secret().to_owned();
        let first = token(1_000_000);
        assert!(first.ends_with("&se=1003600"));
        assert_eq!(token(1_003_299), first);
        assert!(token(1_003_300).ends_with("&se=1006900"));
    }

    #[test]
    fn a_key_that_is_not_base64_is_refused_without_being_shown() {
        let error = Signer::for_iot_hub("h".into(), &SecretString::from("geheim!"), None).err().unwrap();
        assert_eq!(error.to_string(), "the SharedAccessKey for `h` is not base64");
    }
}
