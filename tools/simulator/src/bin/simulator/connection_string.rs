//! Connection strings, as the Azure portal gives them.
//!
//! The text enters, named parts leave; no message ever repeats the text.

use anyhow::{Result, bail};
use secrecy::SecretString;

/// The parts of a connection string.
pub(crate) struct ConnectionString {
    /// Variable it came from, for messages.
    name: &'static str,
    parts: Vec<(String, SecretString)>,
}

impl ConnectionString {
    /// Splits `Key=value;Key=value`; keys count in any letter case, values may hold `=`.
    ///
    /// # Errors
    ///
    /// When a part is no `Key=value`.
    pub(crate) fn parse(name: &'static str, text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        for part in text.trim().split(';').filter(|part| !part.trim().is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                bail!("{name} is no connection string: expected Key=value parts, separated by semicolons");
            };
            parts.push((key.trim().to_ascii_lowercase(), SecretString::from(value.trim())));
        }
        Ok(Self { name, parts })
    }

    /// A part, when it is there.
    pub(crate) fn find(&self, key: &str) -> Option<&SecretString> {
        self.parts.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }

    /// A part.
    ///
    /// # Errors
    ///
    /// When it is missing.
    pub(crate) fn get(&self, key: &str) -> Result<&SecretString> {
        match self.find(key) {
            Some(value) => Ok(value),
            None => bail!("{} has no {key}", self.name),
        }
    }
}

/// Address of a host: HTTPS, except on this machine, where stand-ins speak plain HTTP.
pub(crate) fn address(host: &str) -> String {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let scheme = if is_loopback(name) { "http" } else { "https" };
    format!("{scheme}://{host}")
}

/// Whether a host name or address is this machine.
pub(crate) fn is_loopback(name: &str) -> bool {
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn keys_keep_their_equals_signs() {
        let text = "HostName=h.azure-devices.net;DeviceId=d1;SharedAccessKey=c2VjcmV0a2V5MTIzNDU2Nzg5MA==;";
        let parsed = ConnectionString::parse("X", text).unwrap();
        assert_eq!(parsed.get("SharedAccessKey").unwrap().expose_secret(), "c2VjcmV0a2V5MTIzNDU2Nzg5MA==");
        assert_eq!(parsed.get("hostname").unwrap().expose_secret(), "h.azure-devices.net");
    }

    #[test]
    fn complaints_do_not_repeat_the_secret() {
        let error = ConnectionString::parse("X", "SharedAccessKey").err().unwrap().to_string();
        assert!(error.starts_with("X is no connection string"));
        let parsed = ConnectionString::parse("X", "HostName=h;SharedAccessKey=geheim").unwrap();
        assert_eq!(parsed.get("DeviceId").unwrap_err().to_string(), "X has no DeviceId");
    }

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        assert_eq!(address("h.azure-devices.net"), "https://h.azure-devices.net");
        assert_eq!(address("127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(address("localhost:8080"), "http://localhost:8080");
        assert_eq!(address("127.0.0.1.example.com"), "https://127.0.0.1.example.com");
        assert_eq!(address("localhost.example.com:443"), "https://localhost.example.com:443");
    }
}
