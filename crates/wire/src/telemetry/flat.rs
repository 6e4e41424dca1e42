//! The text of an event in the form that most devices write: one object of plain strings and short numbers.
//!
//! Enters: the text. Leaves: its fields, as [`super::json`] would have read them, or `None`, whereupon the caller reads
//! it there. So nothing here needs to know all of JSON, only to be sure of what it does know.

use std::borrow::Cow;

use super::json::{Object, Value};
use crate::plain::find_mark;

/// So many digits are a whole number that a double holds exactly, and so is the power of ten to divide it by: the quotient
/// is then the double nearest to what was written.
const MAX_DIGITS: usize = 15;
const POWERS_OF_TEN: [f64; MAX_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Reads an object of strings without escapes and numbers without exponents.
pub(super) fn read(text: &str) -> Option<Object<'_>> {
    let mut flat = Flat { text, at: 0 };
    let mut object = Object::default();
    flat.eat(b'{')?;
    loop {
        let key = flat.string()?;
        flat.eat(b':')?;
        let value = flat.value()?;
        match key {
            "deviceId" => object.device_id = value,
            "temperature" => object.temperature = value,
            "timestamp" => object.timestamp = value,
            "readings" => return None,
            _ => {}
        }
        if flat.eat(b',').is_none() {
            break;
        }
    }
    flat.eat(b'}')?;
    if flat.peek().is_none() { Some(object) } else { None }
}

struct Flat<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Flat<'a> {
    /// The next byte that is not white space, which stays.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Steps over `wanted` and white space before it, if it comes next.
    fn eat(&mut self, wanted: u8) -> Option<()> {
        if self.peek()? != wanted {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        self.eat(b'"')?;
        let bytes = self.text.as_bytes();
        let (start, end) = (self.at, find_mark(bytes, self.at)?);
        if bytes[end] != b'"' {
            return None;
        }
        self.at = end + 1;
        Some(&self.text[start..end])
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.peek()? {
            b'"' => Some(Value::Text(Cow::Borrowed(self.string()?))),
            _ => self.number(),
        }
    }

    /// A number; what follows it shows that it does not go on.
    fn number(&mut self) -> Option<Value<'a>> {
        let rest = &self.text.as_bytes()[self.at..];
        let (is_negative, digits) = match rest {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let (whole, n_whole) = take_digits(digits, 0, MAX_DIGITS)?;
        if n_whole > 1 && digits[0] == b'0' {
            return None;
        }
        let (all, n_fraction) = match &digits[n_whole..] {
            [b'.', fraction @ ..] => take_digits(fraction, whole, MAX_DIGITS - n_whole)?,
            _ => (whole, 0),
        };
        // Which zero a minus makes is not for this place to say.
        if is_negative && all == 0 {
            return None;
        }
        self.at += rest.len() - digits.len() + n_whole + if n_fraction > 0 { n_fraction + 1 } else { 0 };
        let all = if is_negative { -all } else { all };
        if n_fraction == 0 {
            return Some(Value::Integer(all));
        }
        #[expect(clippy::cast_precision_loss, reason = "fifteen digits are exact")]
        Some(Value::Float(all as f64 / POWERS_OF_TEN[n_fraction]))
    }
}

/// Goes on with a number by one to `limit` digits; answers it and how many there were.
fn take_digits(bytes: &[u8], number: i64, limit: usize) -> Option<(i64, usize)> {
    let (mut number, mut n_digits) = (number, 0);
    while let Some(digit @ b'0'..=b'9') = bytes.get(n_digits) {
        if n_digits == limit {
            return None;
        }
        number = number * 10 + i64::from(digit - b'0');
        n_digits += 1;
    }
    if n_digits == 0 { None } else { Some((number, n_digits)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::json::Event;
    use proptest::prelude::*;

    /// What the long way makes of a text.
    fn long_way(text: &str) -> Option<Value<'_>> {
        sonic_rs::from_str::<Event<'_>>(text).ok().map(|event| event.0)
    }

    /// Whatever is read here, the long way reads the same, down to the sign of a zero.
    fn check(text: &str) -> Result<(), TestCaseError> {
        if let Some(object) = read(text) {
            let (short, long) = (Value::Object(Box::new(object)), long_way(text));
            prop_assert_eq!(format!("{:?}", Some(short)), format!("{long:?}"), "{}", text);
        }
        Ok(())
    }

    #[test]
    fn the_usual_forms_are_read_here() {
        for text in [
            r#"{"deviceId":"d1","temperature":21.5,"timestamp":1767323045000}"#,
            r#"{"deviceId": "d1", "temperature": -21, "timestamp": "2026-01-02T03:04:05Z", "messageId": "m é"}"#,
            "\n{ \"temperature\" : 0.001 , \"humidity\":0 }\r\n",
        ] {
            assert!(read(text).is_some(), "{text}");
            check(text).unwrap();
        }
    }

    #[test]
    fn other_forms_are_left_to_the_long_way() {
        for text in [
            "",
            "{",
            "{}",
            "[]",
            "[{\"a\":1}]",
            "{\"a\":1}x",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":-0}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":-}",
            "{\"a\":1e3}",
            "{\"a\":1.5E3}",
            "{\"a\":1234567890123456}",
            "{\"a\":0.1234567890123456}",
            "{\"a\":null}",
            "{\"a\":true}",
            "{\"a\":{}}",
            "{\"a\":\"\\n\"}",
            "{\"a\":\"\n\"}",
            "{\"\\u0061\":1}",
            "{\"readings\":1}",
            "{\"a\" 1}",
            "{a:1}",
            "{\"a\":\"x}",
            "{\"a\":+1}",
            "{\"a\":1-2}",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    fn key() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => prop::sample::select(vec!["deviceId", "temperature", "timestamp", "readings"]).prop_map(str::to_owned),
            1 => "[a-zé ]{0,20}",
        ]
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<f64>().prop_map(|number| number.to_string()),
            (-100_000_i64..100_000, 0..6_i32)
                .prop_map(|(n, places)| (n as f64 / 10_f64.powi(places)).to_string()),
            any::<i64>().prop_map(|number| number.to_string()),
            "-?[0-9]{1,17}(\\.[0-9]{1,17})?",
            "-?0\\.0{0,3}[0-9]{0,12}",
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
            "[0-9.eE+\\-]{1,6}",
            "\"[a-z\\\\\"é]{0,20}\"",
            prop::sample::select(vec!["null", "true", "{}", "[1]"]).prop_map(str::to_owned),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn reads_as_the_long_way_does(
            entries in prop::collection::vec((key(), value()), 0..6),
            space in "[ \n\t\r]{0,2}",
        ) {
            let entries: Vec<String> = entries.iter().map(|(key, value)| format!("\"{key}\"{space}:{space}{value}")).collect();
            check(&format!("{space}{{{}}}{space}", entries.join(&format!("{space},"))))?;
        }

        #[test]
        fn broken_texts_are_read_by_neither(
            place in any::<prop::sample::Index>(), n_removed in 0_usize..3, put in "[{}\\[\\]:,\"\\\\ 0-9.eE+-]{0,3}",
        ) {
            let text = r#"{"deviceId":"device-1","temperature":-21.5,"timestamp":"2026-01-02T03:04:05Z","n":0}"#;
            let at = place.index(text.len());
            check(&format!("{}{put}{}", &text[..at], &text[(at + n_removed).min(text.len())..]))?;
        }
    }
}
