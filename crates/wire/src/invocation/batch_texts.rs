//! The texts of a batch's events.
//!
//! Enters: the trigger's value in the envelope. Leaves: all texts in one buffer. It refuses to look into a text.

use std::ops::Range;

use super::InvocationError;
use super::escaped;
use super::scan::Scanner;
use super::unescape::unescape_into;

const EXPECTED: &str = "a json array of strings, as text";
const CURE_CARDINALITY: &str = "set `cardinality` to `many` in function.json";
const CURE_DATA_TYPE: &str = "set `dataType` to `string` in function.json";

/// The texts of all events in one buffer, and where each lies.
pub(super) struct Texts {
    pub(super) buffer: String,
    pub(super) bounds: Vec<Range<usize>>,
}

impl Texts {
    /// Reads the trigger's value, which comes next.
    pub(super) fn read(scanner: &mut Scanner<'_>, binding: &str) -> Result<Self, InvocationError> {
        let wrong = |(found, cure)| InvocationError::Encoding {
            binding: binding.to_owned(),
            expected: EXPECTED,
            found,
            cure,
        };
        if scanner.peek() != Some(b'"') {
            let found = kind_of(scanner.value()?).to_owned();
            return Err(wrong((found, CURE_CARDINALITY)));
        }
        let (mut buffer, mut bounds) = (Vec::with_capacity(scanner.text.len() / 4), Vec::new());
        if let Some(end) = escaped::read_texts(scanner.text, scanner.at + 1, &mut buffer, &mut bounds)
            && let Ok(buffer) = String::from_utf8(buffer)
        {
            scanner.at = end;
            return Ok(Self { buffer, bounds });
        }
        Self::read_any_form(&scanner.unescaped()?).map_err(wrong)
    }

    /// Reads an array of strings in any form of JSON; the error says what was found instead, and what to change.
    fn read_any_form(json: &str) -> Result<Self, (String, &'static str)> {
        let mut texts = Self { buffer: String::with_capacity(json.len()), bounds: Vec::new() };
        let mut scanner = Scanner::new(json);
        let broken = || ("a broken array".to_owned(), CURE_CARDINALITY);
        if !scanner.eat(b'[') {
            return Err(("text that is no array".to_owned(), CURE_CARDINALITY));
        }
        if !scanner.eat(b']') {
            loop {
                texts.push(&mut scanner)?;
                if scanner.eat(b']') {
                    break;
                }
                if !scanner.eat(b',') {
                    return Err(broken());
                }
            }
        }
        if scanner.peek().is_some() { Err(broken()) } else { Ok(texts) }
    }

    fn push(&mut self, scanner: &mut Scanner<'_>) -> Result<(), (String, &'static str)> {
        let index = self.bounds.len();
        if scanner.peek() != Some(b'"') {
            let kind = scanner.value().map_or("broken", kind_of);
            return Err((format!("an array whose element {index} is {kind}"), CURE_DATA_TYPE));
        }
        let start = self.buffer.len();
        scanner.at = unescape_into(scanner.text, scanner.at + 1, &mut self.buffer).map_err(|bad| {
            (format!("a string that is broken at byte {} as element {index}", bad.at), CURE_DATA_TYPE)
        })?;
        self.bounds.push(start..self.buffer.len());
        Ok(())
    }
}

fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}
