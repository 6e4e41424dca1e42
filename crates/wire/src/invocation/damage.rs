//! What the host would damage on the way to Cosmos DB, SignalR or the caller.
//!
//! Enters: JSON text meant for an output. Leaves: nothing, or the first [`Damage`]. It refuses to know what the text means.
//!
//! The host reads an answer with Json.NET, which turns strings that look like dates into dates and writes those its own
//! way, keeps integers only as far as its types reach, and refuses deep nesting; consumers in JavaScript hold integers
//! exactly up to 2^53. A string in the place of an output is decoded as base64 whenever that works.
//! See `HttpScriptInvocationResultExtensions.cs` in <https://github.com/Azure/azure-functions-host> and
//! `DateTimeUtils.cs` in <https://github.com/JamesNK/Newtonsoft.Json>.

use std::ops::RangeInclusive;

use super::checker::{Checker, ObjectFacts};
use super::unescape::unescape_into;

/// Deepest nesting of an output; Json.NET reads 64 levels, some of which the answer around it takes.
pub const MAX_DEPTH: u32 = 56;

/// How long a date with a time of day may be.
pub(super) const DATE_BYTES: RangeInclusive<usize> = 19..=40;

/// Longest id that Cosmos DB takes, in bytes.
pub(super) const MAX_ID_BYTES: usize = 1023;

/// Why an output would not arrive as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Not JSON, so that the host would fail the invocation.
    #[error("output is not json at byte {at}")]
    NotJson {
        /// Offset in bytes.
        at: usize,
    },
    /// A value that cannot be written as JSON.
    #[error("output cannot be written as json: {reason}")]
    Unwritable {
        /// What the serializer said.
        reason: String,
    },
    /// JSON, but no object, so that the binding would fail the invocation.
    #[error("output is not a json object")]
    NotAnObject,
    /// A string that the host rewrites as a date.
    #[error("string at byte {at} looks like a date, which the host rewrites: write epoch milliseconds")]
    Date {
        /// Offset in bytes.
        at: usize,
    },
    /// An integer that a double does not hold exactly.
    #[error("integer at byte {at} is beyond 2^53: write it as a string")]
    LargeInteger {
        /// Offset in bytes.
        at: usize,
    },
    /// A number too large for a double.
    #[error("number at byte {at} is not finite")]
    NotFinite {
        /// Offset in bytes.
        at: usize,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("output nests deeper than {MAX_DEPTH} levels at byte {at}")]
    TooDeep {
        /// Offset in bytes.
        at: usize,
    },
    /// A string in the place of an output that the host decodes as base64.
    #[error("output is a string that the host decodes as base64: write an object")]
    Base64,
    /// A document that Cosmos DB would refuse for its id.
    #[error(
        "document {index} has no `id` that cosmos db takes: a string of 1 to {MAX_ID_BYTES} bytes without / \\ ? #"
    )]
    DocumentId {
        /// Place of the document in the answer.
        index: usize,
    },
    /// A document above Cosmos DB's limit.
    #[error("document {index} has {n_bytes} bytes, more than cosmos db takes")]
    DocumentSize {
        /// Place of the document in the answer.
        index: usize,
        /// Its size.
        n_bytes: usize,
    },
    /// A live message whose target, user or group is empty: without user and group it would go to everyone.
    #[error("live message has an empty {part}")]
    EmptyName {
        /// Which part is empty.
        part: &'static str,
    },
    /// A text beside the documents that the host rewrites as a date.
    #[error("{part} looks like a date, which the host rewrites")]
    DateIn {
        /// Which part it is.
        part: &'static str,
    },
    /// A status that cannot be sent, or not with a body.
    #[error("status {status_code} cannot be answered with {n_body_bytes} bytes of body")]
    Status {
        /// The status.
        status_code: u16,
        /// Size of the body.
        n_body_bytes: usize,
    },
    /// A header that the host's server refuses, drops or sets itself.
    #[error("response header {index} cannot be sent: {reason}")]
    Header {
        /// Place of the header in the response.
        index: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Checks the JSON text of an output's value.
///
/// A string is judged as the host does: as base64, else as JSON text with a value of its own.
///
/// # Errors
///
/// The first [`Damage`].
pub fn check_undamaged(json: &str) -> Result<(), Damage> {
    let trimmed = json.trim_ascii();
    if !trimmed.starts_with('"') {
        return Checker::new(json).run().map(drop);
    }
    let mut text = String::new();
    let end = unescape_into(trimmed, 1, &mut text).map_err(|bad| Damage::NotJson { at: bad.at })?;
    if end != trimmed.len() {
        return Err(Damage::NotJson { at: end });
    }
    if is_base64(&text) {
        return Err(Damage::Base64);
    }
    if looks_like_date(&text) {
        return Err(Damage::Date { at: 0 });
    }
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'{' | b'[') => Checker::new(&text).run().map(drop),
        _ => Ok(()),
    }
}

/// Checks an output that must be one object.
pub(super) fn check_object(json: &str) -> Result<ObjectFacts, Damage> {
    if !json.trim_ascii_start().starts_with('{') {
        return Err(Damage::NotAnObject);
    }
    Checker::new(json).run()
}

/// Whether Json.NET takes the text for a date, or might: ISO 8601 with a time of day, and `/Date(...)/`.
///
/// A device may well have such a text as its id; nothing that holds it as a value may be put into an output.
#[must_use]
pub fn looks_like_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.first() == Some(&b'/') {
        return text.starts_with("/Date(") && text.ends_with(")/");
    }
    if !DATE_BYTES.contains(&bytes.len()) {
        return false;
    }
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let has_shape = bytes.iter().zip(shape).all(|(byte, wanted)| match wanted {
        b'd' => byte.is_ascii_digit(),
        _ => byte == wanted,
    });
    let is_zone = |byte: &u8| byte.is_ascii_digit() || b".:+-Zz".contains(byte);
    has_shape && bytes[shape.len()..].iter().all(is_zone)
}

/// Whether .NET's decoder takes the text for base64; it skips white space.
fn is_base64(text: &str) -> bool {
    let solid = text.bytes().filter(|byte| !b" \t\r\n".contains(byte));
    let (mut n_characters, mut n_padding) = (0_usize, 0_usize);
    for byte in solid {
        n_characters += 1;
        match byte {
            b'=' => n_padding += 1,
            _ if n_padding > 0 => return false,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {}
            _ => return false,
        }
    }
    n_characters % 4 == 0 && n_padding <= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_that_json_net_rewrites() {
        for text in [
            "2024-01-01T02:00:00",
            "2024-01-01T02:00:00Z",
            "2024-01-01T02:00:00.000Z",
            "2024-01-01T02:00:00.1234567+02:00",
            "2024-01-01T02:00:00-0800",
            "2024-01-01T02:00:00+02",
            "/Date(1704074400000)/",
            "/Date(1704074400000+0200)/",
        ] {
            assert!(looks_like_date(text), "{text}");
            assert_eq!(
                check_undamaged(&format!("{{\"a\":[\"{text}\"]}}")),
                Err(Damage::Date { at: 6 }),
                "{text}"
            );
        }
        let escaped = r#"{"a":"\u0032024-01-01T02:00:00"}"#;
        assert_eq!(check_undamaged(escaped), Err(Damage::Date { at: 5 }));
        assert_eq!(check_undamaged(r#"{"a":"\/Date(0)\/"}"#), Err(Damage::Date { at: 5 }));
    }

    #[test]
    fn texts_that_json_net_leaves_alone() {
        for text in [
            "2024-01-01",
            "2024-01-01 02:00:00",
            "2024-01-01T02:00",
            "2024-01-01T02:00:00 and more",
            "/Date/",
        ] {
            assert!(!looks_like_date(text), "{text}");
            assert_eq!(check_undamaged(&format!("{{\"a\":\"{text}\"}}")), Ok(()), "{text}");
        }
        assert_eq!(check_undamaged(r#"{"2024-01-01T02:00:00":1}"#), Ok(()));
    }

    #[test]
    fn numbers() {
        for fine in [
            "0",
            "-1",
            "9007199254740992",
            "-9007199254740992",
            "1.5",
            "1e3",
            "-0.5E-3",
            "123456789012345.25",
        ] {
            assert_eq!(check_undamaged(&format!("[{fine}]")), Ok(()), "{fine}");
        }
        for large in ["9007199254740993", "18446744073709551616", "-9007199254740993"] {
            assert_eq!(
                check_undamaged(&format!("[{large}]")),
                Err(Damage::LargeInteger { at: 1 }),
                "{large}"
            );
        }
        assert_eq!(check_undamaged("[1e999]"), Err(Damage::NotFinite { at: 1 }));
        for bad in ["01", "-", "1.", ".5", "1e", "1e+", "+1", "1.5.5", "NaN", "Infinity", "1-2"] {
            assert!(matches!(check_undamaged(&format!("[{bad}]")), Err(Damage::NotJson { .. })), "{bad}");
        }
    }

    #[test]
    fn strings_in_the_place_of_an_output() {
        for text in ["test", "abcd", "12345678", "a b c d", "", "dGVzdA=="] {
            assert_eq!(check_undamaged(&format!("\"{text}\"")), Err(Damage::Base64), "{text}");
        }
        for text in ["hello world", "{}", "abc", "====", "ab=c"] {
            assert_eq!(check_undamaged(&format!("\"{text}\"")), Ok(()), "{text}");
        }
        let inner = r#""{\"at\":\"2024-01-01T02:00:00Z\"}""#;
        assert_eq!(check_undamaged(inner), Err(Damage::Date { at: 6 }));
    }

    #[test]
    fn nesting() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check_undamaged(&nested(56)), Ok(()));
        assert_eq!(check_undamaged(&nested(57)), Err(Damage::TooDeep { at: 56 }));
        assert!(matches!(check_undamaged(&"[{\"a\":".repeat(1_000_000)), Err(Damage::TooDeep { .. })));
    }

    #[test]
    fn ids_of_documents() {
        assert!(check_object(r#"{"a":{"id":3},"id":"r-1"}"#).unwrap().has_id);
        for without in [r#"{}"#, r#"{"a":{"id":"x"}}"#, r#"{"id":1}"#, r#"{"id":""}"#, r#"{"id":"a/b"}"#] {
            assert!(!check_object(without).unwrap().has_id, "{without}");
        }
        assert_eq!(check_object("[{}]"), Err(Damage::NotAnObject));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            (-(1_i64 << 53)..=1 << 53).prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            "[a-z\\\\\"\n\u{e9}]{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 64, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::hash_map(".{0,4}", inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn takes_whatever_serde_json_writes(value in json()) {
            let inner = serde_json::json!({ "v": value });
            prop_assert_eq!(check_undamaged(&inner.to_string()), Ok(()));
            prop_assert_eq!(check_undamaged(&serde_json::to_string_pretty(&inner).unwrap()), Ok(()));
        }

        #[test]
        fn what_it_takes_is_json(text in r#"[\[\]{}",:0-9eE.+\-a-u\\ ]{0,24}"#) {
            if check_undamaged(&text).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = check_undamaged(&text);
        }
    }
}
