//! The reader: lenient as the host's, except for what nobody sends (constructors, octal numbers).

use thiserror::Error;

use super::{Date, Json};

const MAX_DEPTH: usize = 64;

/// A text is not what the host's reader accepts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not JSON at byte {position}: {reason}")]
pub struct ReadError {
    position: usize,
    reason: &'static str,
}

/// Reads one value; date-looking strings become dates.
///
/// # Errors
///
/// [`ReadError`] when the text is not JSON or something follows the value.
pub fn read(text: &str) -> Result<Json, ReadError> {
    Reader { text, position: 0, dates: true }.document()
}

/// Reads one value and leaves date-looking strings as they are.
///
/// # Errors
///
/// As [`read`].
pub fn read_with_plain_dates(text: &str) -> Result<Json, ReadError> {
    Reader { text, position: 0, dates: false }.document()
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
    dates: bool,
}

impl Reader<'_> {
    fn document(mut self) -> Result<Json, ReadError> {
        let value = self.value(0)?;
        self.skip_space()?;
        if self.position < self.text.len() { Err(self.error("text after the value")) } else { Ok(value) }
    }

    fn value(&mut self, depth: usize) -> Result<Json, ReadError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        self.skip_space()?;
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(quote @ (b'"' | b'\'')) => {
                let text = self.string(quote)?;
                Ok(match Date::recognize(&text).filter(|_| self.dates) {
                    Some(date) => Json::Date(date),
                    None => Json::String(text),
                })
            }
            Some(_) => self.bare(),
            None => Err(self.error("the text ends where a value should be")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, ReadError> {
        self.position += 1;
        let mut object = Json::Object(Vec::new());
        loop {
            self.skip_space()?;
            let name = match self.peek() {
                Some(b'}') => {
                    self.position += 1;
                    return Ok(object);
                }
                Some(quote @ (b'"' | b'\'')) => self.string(quote)?,
                Some(_) => self.bare_name()?,
                None => return Err(self.error("the text ends inside an object")),
            };
            self.skip_space()?;
            if self.peek() != Some(b':') {
                return Err(self.error("expected `:`"));
            }
            self.position += 1;
            let value = self.value(depth + 1)?;
            object.set(&name, value);
            self.skip_space()?;
            match self.peek() {
                Some(b',') => self.position += 1,
                Some(b'}') => {}
                _ => return Err(self.error("expected `,` or `}`")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, ReadError> {
        self.position += 1;
        let mut items = Vec::new();
        loop {
            self.skip_space()?;
            if self.peek() == Some(b']') {
                self.position += 1;
                return Ok(Json::Array(items));
            }
            items.push(self.value(depth + 1)?);
            self.skip_space()?;
            match self.peek() {
                Some(b',') => self.position += 1,
                Some(b']') => {}
                _ => return Err(self.error("expected `,` or `]`")),
            }
        }
    }

    fn string(&mut self, quote: u8) -> Result<String, ReadError> {
        self.position += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.position..];
            let Some(letter) = rest.chars().next() else {
                return Err(self.error("the text ends inside a string"));
            };
            self.position += letter.len_utf8();
            match letter {
                '\\' => text.push(self.escape()?),
                _ if letter == char::from(quote) => return Ok(text),
                _ => text.push(letter),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ReadError> {
        let Some(byte) = self.peek() else { return Err(self.error("the text ends inside a string")) };
        self.position += 1;
        Ok(match byte {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'"' => '"',
            b'\'' => '\'',
            b'\\' => '\\',
            b'/' => '/',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.error("unknown escape")),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, ReadError> {
        let first = self.four_hex_digits()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.position..].starts_with("\\u") {
            let back = self.position;
            self.position += 2;
            let second = self.four_hex_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            self.position = back;
        }
        Ok(char::from_u32(first).unwrap_or('\u{fffd}'))
    }

    fn four_hex_digits(&mut self) -> Result<u32, ReadError> {
        let digits = self.text.get(self.position..self.position + 4);
        let code = digits
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.position += 4;
        code.ok_or_else(|| ReadError { position: self.position - 4, reason: "expected four hex digits" })
    }

    fn bare_name(&mut self) -> Result<String, ReadError> {
        let name = self.take_word();
        if name.is_empty() { Err(self.error("expected a name")) } else { Ok(name) }
    }

    fn bare(&mut self) -> Result<Json, ReadError> {
        let start = self.position;
        let word = self.take_word();
        let fail = |reason| ReadError { position: start, reason };
        match word.as_str() {
            "null" | "undefined" => return Ok(Json::Null),
            "true" => return Ok(Json::Bool(true)),
            "false" => return Ok(Json::Bool(false)),
            "NaN" => return Ok(Json::Float(f64::NAN)),
            "Infinity" => return Ok(Json::Float(f64::INFINITY)),
            "-Infinity" => return Ok(Json::Float(f64::NEG_INFINITY)),
            _ => {}
        }
        let digits = word.strip_prefix('-').unwrap_or(&word);
        if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return Err(fail("expected a value"));
        }
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Json::Integer(word));
        }
        match word.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Json::Float(value)),
            _ => Err(fail("not a number")),
        }
    }

    fn take_word(&mut self) -> String {
        let rest = &self.text[self.position..];
        let length = rest
            .bytes()
            .take_while(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_' | b'$')
            })
            .count();
        self.position += length;
        rest[..length].to_owned()
    }

    fn skip_space(&mut self) -> Result<(), ReadError> {
        loop {
            let rest = &self.text[self.position..];
            let space = rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
            self.position += space;
            let rest = &rest[space..];
            if let Some(comment) = rest.strip_prefix("/*") {
                let Some(end) = comment.find("*/") else { return Err(self.error("comment without end")) };
                self.position += end + 4;
            } else if rest.starts_with("//") {
                self.position += rest.find('\n').unwrap_or(rest.len());
            } else {
                return Ok(());
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn error(&self, reason: &'static str) -> ReadError {
        ReadError { position: self.position, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(text: &str) -> Result<String, String> {
        read(text).map(|value| value.to_text()).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_and_rewrites_as_the_host_does() {
        for (text, written) in [
            ("{/*c*/'a':1,}", r#"{"a":1}"#),
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
            (" [ 1 , 1.50 , 12345678901234567890123 ] ", "[1,1.5,12345678901234567890123]"),
            (r#""\ud83c\udf21 \u2028\u0001""#, "\"🌡 \\u2028\\u0001\""),
            (r#"{"t":"2024-01-01T02:00:00.000Z"}"#, r#"{"t":"2024-01-01T02:00:00Z"}"#),
        ] {
            assert_eq!(rewrite(text), Ok(written.to_owned()));
        }
    }

    #[test]
    fn refuses_without_panic() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "{",
            "[1",
            "\"a",
            "hello world",
            "{\"a\":1}{\"a\":2}",
            "\"\\u12\"",
            "\"\\u00é0\"",
            "é",
            "1e999",
            &deep,
        ] {
            assert!(rewrite(text).is_err(), "{}", &text[..text.len().min(20)]);
        }
    }
}
