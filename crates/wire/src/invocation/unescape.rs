//! JSON strings, unescaped into a buffer that a whole batch shares.
//!
//! Enters: JSON text and the place where a string's content begins. Leaves: the content, appended to the buffer, and the
//! place after the closing quote. It refuses to know what surrounds the string.

use memchr::memchr2;

/// A string that does not end, or holds an escape that JSON does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadString {
    /// Offset of the fault in the JSON text, in bytes.
    pub(super) at: usize,
}

/// Appends the string whose content starts at `from` to `out`; answers the offset after its closing quote.
///
/// A lone surrogate becomes U+FFFD, as the host itself does with text that is not Unicode.
pub(super) fn unescape_into(json: &str, from: usize, out: &mut String) -> Result<usize, BadString> {
    let bytes = json.as_bytes();
    let mut at = from;
    loop {
        let Some(offset) = memchr2(b'"', b'\\', &bytes[at..]) else {
            return Err(BadString { at: bytes.len() });
        };
        let stop = at + offset;
        out.push_str(&json[at..stop]);
        if bytes[stop] == b'"' {
            return Ok(stop + 1);
        }
        at = unescape_one(bytes, stop, out)?;
    }
}

/// Appends the character that the escape at `backslash` stands for; answers the offset after the escape.
fn unescape_one(bytes: &[u8], backslash: usize, out: &mut String) -> Result<usize, BadString> {
    let bad = BadString { at: backslash };
    let character = match bytes.get(backslash + 1).ok_or(bad)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_unicode(bytes, backslash, out),
        _ => return Err(bad),
    };
    out.push(character);
    Ok(backslash + 2)
}

/// Appends the character that the `\uXXXX` at `backslash` stands for, its second half included.
pub(super) fn unescape_unicode(bytes: &[u8], backslash: usize, out: &mut String) -> Result<usize, BadString> {
    let first = hex4(bytes, backslash + 2)?;
    let after = backslash + 6;
    if !(0xd800..0xdc00).contains(&first) {
        out.push(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        return Ok(after);
    }
    if bytes.get(after) == Some(&b'\\') && bytes.get(after + 1) == Some(&b'u') {
        let second = hex4(bytes, after + 2)?;
        if (0xdc00..0xe000).contains(&second) {
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            return Ok(after + 6);
        }
    }
    out.push(char::REPLACEMENT_CHARACTER);
    Ok(after)
}

fn hex4(bytes: &[u8], at: usize) -> Result<u32, BadString> {
    let bad = BadString { at };
    let digits = bytes.get(at..at + 4).ok_or(bad)?;
    let mut code = 0;
    for digit in digits {
        code = code * 16 + char::from(*digit).to_digit(16).ok_or(bad)?;
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unescaped(json: &str) -> Result<(String, usize), BadString> {
        let mut out = String::new();
        let end = unescape_into(json, 1, &mut out)?;
        Ok((out, end))
    }

    #[test]
    fn every_escape() {
        let json = r#""a\"b\\c\/d\b\f\n\r\t\u00e9\ud83d\ude00\u0000\uFFFD" tail"#;
        let (text, end) = unescaped(json).unwrap();
        assert_eq!(text, "a\"b\\c/d\u{8}\u{c}\n\r\té😀\0\u{fffd}");
        assert_eq!(&json[end..], " tail");
    }

    #[test]
    fn lone_surrogates_become_the_replacement_character() {
        assert_eq!(unescaped(r#""\ud800""#).unwrap().0, "\u{fffd}");
        assert_eq!(unescaped(r#""\ude00x""#).unwrap().0, "\u{fffd}x");
        assert_eq!(unescaped(r#""\ud800A""#).unwrap().0, "\u{fffd}A");
        assert_eq!(unescaped(r#""\ud800\ud800\udc00""#).unwrap().0, "\u{fffd}\u{10000}");
    }

    #[test]
    fn strings_that_do_not_end_or_escape_badly() {
        for json in ["\"", "\"abc", "\"abc\\", r#""\x""#, r#""\u12"#, r#""\u12g4""#, r#""\ud800\u12""#] {
            assert!(unescaped(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn undoes_what_serde_json_does(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescaped(&json).unwrap(), (text, json.len()));
        }
    }
}
