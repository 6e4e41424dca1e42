//! Access tokens: a connection string and a user enter, a signed token leaves; a token enters, its user leaves or a refusal.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::config::ConnectionString;
use crate::json_net::Json;

const LIFETIME_S: i64 = 3600;

#[derive(Serialize, Deserialize)]
struct Claims {
    #[serde(rename = "asrs.s.uid", default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    nbf: i64,
    exp: i64,
    iat: i64,
    aud: String,
}

/// Makes what the signalRConnectionInfo input gives to the handler: where the client connects, and its token.
///
/// # Errors
///
/// What the connection string lacks.
pub fn connection_info(
    connection: &str,
    hub: &str,
    user: Option<&str>,
    now: Timestamp,
) -> Result<Json, String> {
    let connection = ConnectionString::parse(connection);
    let endpoint = connection.require("Endpoint").map_err(|error| error.to_string())?.trim_end_matches('/');
    let key = connection.require("AccessKey").map_err(|error| error.to_string())?;
    let now = now.as_second();
    let claims = Claims {
        user: user.map(str::to_owned),
        nbf: now,
        exp: now + LIFETIME_S,
        iat: now,
        aud: audience(endpoint, hub),
    };
    let token = encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(key.as_bytes()))
        .map_err(|error| format!("cannot sign an access token: {error}"))?;
    let origin = match connection.get("Port") {
        Some(port) => format!("{endpoint}:{port}"),
        None => endpoint.to_owned(),
    };
    let url = audience(&origin, hub);
    Ok(Json::object([("url", Json::text(url)), ("accessToken", Json::text(token))]))
}

/// The service writes hub names in lower case; the audience never names the port.
fn audience(origin: &str, hub: &str) -> String {
    format!("{origin}/client/?hub={}", hub.to_lowercase())
}

/// Endpoints and keys of all connection strings that lead here.
#[derive(Clone, Default)]
pub struct Keys {
    pairs: Vec<(String, String)>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Keys").field("count", &self.pairs.len()).finish()
    }
}

impl Keys {
    /// Adds the key of a connection string; one without endpoint or key adds nothing.
    pub fn add(&mut self, connection: &str) {
        let connection = ConnectionString::parse(connection);
        if let (Some(endpoint), Some(key)) = (connection.get("Endpoint"), connection.get("AccessKey")) {
            self.pairs.push((endpoint.trim_end_matches('/').to_owned(), key.to_owned()));
        }
    }

    /// The user of a token for this hub, if it is valid now.
    ///
    /// # Errors
    ///
    /// Why it is not.
    pub fn check(&self, token: &str, hub: &str) -> Result<Option<String>, String> {
        let mut refusal = "no access key is configured".to_owned();
        for (endpoint, key) in &self.pairs {
            let mut validation = Validation::new(Algorithm::HS256);
            validation.set_audience(&[audience(endpoint, hub)]);
            validation.validate_nbf = true;
            match decode::<Claims>(token, &DecodingKey::from_secret(key.as_bytes()), &validation) {
                Ok(token) => return Ok(token.claims.user),
                Err(error) => refusal = error.to_string(),
            }
        }
        Err(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTION: &str =
        "Endpoint=http://127.0.0.1;Port=8888;AccessKey=a-key-of-some-length-0123456789;Version=1.0;";

    fn token(connection: &str, hub: &str, now: Timestamp) -> String {
        let info = connection_info(connection, hub, Some("u1"), now).unwrap();
        assert_eq!(info.get("url"), Some(&Json::text("http://127.0.0.1:8888/client/?hub=telemetry")));
        info.get("accessToken").unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn a_token_opens_its_hub_for_an_hour() {
        let mut keys = Keys::default();
        keys.add(CONNECTION);
        let now = Timestamp::now();
        let good = token(CONNECTION, "Telemetry", now);
        assert_eq!(keys.check(&good, "telemetry"), Ok(Some("u1".to_owned())));
        assert!(keys.check(&good, "other").is_err());
        let two_hours = jiff::SignedDuration::from_hours(2);
        assert!(keys.check(&token(CONNECTION, "telemetry", now - two_hours), "telemetry").is_err());
        let forged = CONNECTION.replace("a-key", "b-key");
        assert!(keys.check(&token(&forged, "telemetry", now), "telemetry").is_err());
    }
}
