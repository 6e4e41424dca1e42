//! Shared access signatures of Azurite's well-known account. Pure.
//!
//! The fields and their order are those of an account SAS of version 2021-12-02: <https://learn.microsoft.com/rest/api/storageservices/create-account-sas>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

/// The account that every Azurite has.
pub(super) const ACCOUNT: &str = "devstoreaccount1";
/// Its key, which is public and opens nothing but an emulator.
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

const VERSION: &str = "2021-12-02";
/// Blobs only.
const SERVICES: &str = "b";
/// Containers and the blobs in them.
const RESOURCES: &str = "co";
/// Read, write, delete, list, add, create.
const PERMISSIONS: &str = "rwdlac";
/// Local data outlives any sensible term.
const EXPIRY: &str = "2099-12-31T00:00:00Z";

/// A query that may do anything with containers and blobs of the account.
pub(super) fn query() -> String {
    // Start, addresses and encryption scope are left open; every protocol will do.
    let fields = [ACCOUNT, PERMISSIONS, SERVICES, RESOURCES, "", EXPIRY, "", "", VERSION, ""];
    let to_sign: String = fields.iter().map(|field| format!("{field}\n")).collect();
    let signature = utf8_percent_encode(&sign(&to_sign), NON_ALPHANUMERIC).to_string();
    let expiry = utf8_percent_encode(EXPIRY, NON_ALPHANUMERIC);
    format!("sv={VERSION}&ss={SERVICES}&srt={RESOURCES}&sp={PERMISSIONS}&se={expiry}&sig={signature}")
}

fn sign(text: &str) -> String {
    let key = STANDARD.decode(KEY).unwrap_or_default();
    // A key of any length will do for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
