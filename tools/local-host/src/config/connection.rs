//! Azure connection strings: `Name=value;...` enters, named parts leave; where the endpoint is on this machine, its address can be replaced.

use thiserror::Error;

/// A connection string lacks a part.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("connection string has no `{0}`")]
pub struct ConnectionStringError(&'static str);

/// The parts of a connection string, in their order; it does not print its values.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionString {
    parts: Vec<(String, String)>,
}

impl std::fmt::Debug for ConnectionString {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.parts.iter().map(|(name, _)| name.as_str()).collect();
        formatter.debug_struct("ConnectionString").field("parts", &names).finish_non_exhaustive()
    }
}

impl ConnectionString {
    /// Splits the text; parts without `=` are dropped.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let parts = text
            .split(';')
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
            .collect();
        Self { parts }
    }

    /// The value of a part, its name in any letter case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parts
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of a part that must be there.
    ///
    /// # Errors
    ///
    /// [`ConnectionStringError`] names the part.
    pub fn require(&self, name: &'static str) -> Result<&str, ConnectionStringError> {
        self.get(name).ok_or(ConnectionStringError(name))
    }

    /// Whether the endpoint in the part `name` is on this machine.
    #[must_use]
    pub fn is_loopback(&self, name: &str) -> bool {
        let Some(endpoint) = self.get(name) else { return false };
        let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        matches!(host, "127.0.0.1" | "localhost" | "[::1]")
    }

    /// The connection string with one part set to another value.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.parts.iter_mut().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)) {
            Some(part) => value.clone_into(&mut part.1),
            None => self.parts.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// The text of the connection string, secrets included.
    #[must_use]
    pub fn expose(&self) -> String {
        self.parts.iter().map(|(name, value)| format!("{name}={value};")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_an_endpoint_and_hides_the_key() {
        let text = "Endpoint=http://127.0.0.1;Port=8888;AccessKey=a=b==;Version=1.0;";
        let parsed = ConnectionString::parse(text);
        assert_eq!(parsed.get("accesskey"), Some("a=b=="));
        assert!(parsed.is_loopback("Endpoint"));
        assert!(!format!("{parsed:?}").contains("a=b"));
        let moved = parsed.with("Port", "9");
        assert_eq!(moved.expose(), "Endpoint=http://127.0.0.1;Port=9;AccessKey=a=b==;Version=1.0;");
        assert!(!ConnectionString::parse("Endpoint=sb://ns.example/;").is_loopback("Endpoint"));
    }
}
