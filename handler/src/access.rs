//! Who may look: data, connections and writes are for those who hold the key, are signed in, or for everybody where a
//! local setting says so.
//!
//! The host forwards every header as it came, so a principal proves nothing unless the platform says that it
//! authenticates.

use axum::http::HeaderMap;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::reply::ApiError;
use crate::settings::AccessSettings;

/// Header that carries the key.
const KEY_HEADER: &str = "x-api-key";
/// Headers by which App Service Authentication names who is signed in.
const PRINCIPAL_HEADERS: [&str; 2] = ["x-ms-client-principal", "x-ms-client-principal-id"];

/// Checks the headers of a request.
///
/// # Errors
///
/// [`ApiError::unauthorized`] for everybody else.
pub fn check<'a>(
    settings: &AccessSettings,
    header: impl Fn(&str) -> Option<&'a str>,
) -> Result<(), ApiError> {
    let signed_in = settings.platform_authenticates
        && PRINCIPAL_HEADERS.iter().any(|name| header(name).is_some_and(|value| !value.is_empty()));
    let has_key = match (&settings.api_key, header(KEY_HEADER)) {
        (Some(expected), Some(shown)) => is_same(expected.expose_secret(), shown),
        _ => false,
    };
    if settings.allow_anonymous || signed_in || has_key { Ok(()) } else { Err(ApiError::unauthorized()) }
}

/// Reads a header of a forwarded request; one that is not text is none.
pub fn header_of<'a>(headers: &'a HeaderMap) -> impl Fn(&str) -> Option<&'a str> {
    |name| headers.get(name)?.to_str().ok()
}

/// Compares in a time that depends on neither text.
fn is_same(expected: &str, shown: &str) -> bool {
    Sha256::digest(expected.as_bytes()).ct_eq(&Sha256::digest(shown.as_bytes())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(settings: &AccessSettings, headers: &[(&str, &str)]) -> bool {
        check(settings, |name| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)).is_ok()
    }

    #[test]
    fn nobody_by_default() {
        let settings = AccessSettings::default();
        assert!(!is_allowed(&settings, &[]));
        assert!(!is_allowed(&settings, &[(KEY_HEADER, "")]));
    }

    #[test]
    fn a_forged_principal_proves_nothing() {
        for name in PRINCIPAL_HEADERS {
            assert!(!is_allowed(&AccessSettings::default(), &[(name, "admin")]));
        }
    }

    #[test]
    fn a_principal_counts_where_the_platform_authenticates() {
        let settings = AccessSettings { platform_authenticates: true, ..AccessSettings::default() };
        assert!(is_allowed(&settings, &[(PRINCIPAL_HEADERS[0], "abc")]));
        assert!(!is_allowed(&settings, &[(PRINCIPAL_HEADERS[0], "")]));
        assert!(!is_allowed(&settings, &[]));
    }

    #[test]
    fn the_key_and_nothing_like_it() {
        let settings = AccessSettings { api_key: Some("right".into()), ..AccessSettings::default() };
        assert!(is_allowed(&settings, &[(KEY_HEADER, "right")]));
        for wrong in ["Right", "right ", "", "righ", "rightt"] {
            assert!(!is_allowed(&settings, &[(KEY_HEADER, wrong)]), "{wrong}");
        }
    }

    #[test]
    fn everybody_where_a_setting_says_so() {
        let settings = AccessSettings { allow_anonymous: true, ..AccessSettings::default() };
        assert!(is_allowed(&settings, &[]));
    }
}
