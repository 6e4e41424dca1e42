//! One pass over JSON text that finds what the host would damage.
//!
//! Enters: JSON text. Leaves: whether it is JSON, holds no value that changes on its way, and has an id. It refuses to build
//! anything, and does not recurse.

use memchr::memchr2;

use super::damage::{Damage, MAX_DEPTH, MAX_ID_BYTES, looks_like_date};
use super::unescape::unescape_into;

/// 2^53: up to here every integer has a double of its own.
pub(super) const MAX_INTEGER: u64 = 1 << 53;

/// What a check finds out about an object on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ObjectFacts {
    /// Whether its `id` is one that Cosmos DB takes.
    pub(super) has_id: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
    Nothing,
}

/// A place in JSON text; a bit for each open bracket says whether it is an object's.
pub(super) struct Checker<'a> {
    json: &'a str,
    at: usize,
    depth: u32,
    objects: u64,
    at_id: bool,
    facts: ObjectFacts,
}

impl<'a> Checker<'a> {
    pub(super) fn new(json: &'a str) -> Self {
        Self { json, at: 0, depth: 0, objects: 0, at_id: false, facts: ObjectFacts { has_id: false } }
    }

    /// Checks the whole text.
    pub(super) fn run(mut self) -> Result<ObjectFacts, Damage> {
        let mut expect = Expect::Value;
        while let Some(byte) = self.next_solid() {
            expect = match (expect, byte) {
                (Expect::Value | Expect::ValueOrEnd, _) if byte != b']' => self.value(byte)?,
                (Expect::ValueOrEnd, b']') => self.close(false)?,
                (Expect::Key | Expect::KeyOrEnd, b'"') => self.key()?,
                (Expect::KeyOrEnd, b'}') => self.close(true)?,
                (Expect::CommaOrEnd, b',') => self.comma(),
                (Expect::CommaOrEnd, b'}') => self.close(true)?,
                (Expect::CommaOrEnd, b']') => self.close(false)?,
                _ => return Err(self.not_json()),
            };
        }
        if expect == Expect::Nothing { Ok(self.facts) } else { Err(self.not_json()) }
    }

    fn not_json(&self) -> Damage {
        Damage::NotJson { at: self.at }
    }

    fn next_solid(&mut self) -> Option<u8> {
        let bytes = self.json.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn value(&mut self, first: u8) -> Result<Expect, Damage> {
        let is_id = std::mem::take(&mut self.at_id);
        match first {
            b'{' => return self.open(true),
            b'[' => return self.open(false),
            b'"' => self.text(is_id)?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => self.word()?,
        }
        Ok(self.after_value())
    }

    fn after_value(&self) -> Expect {
        if self.depth == 0 { Expect::Nothing } else { Expect::CommaOrEnd }
    }

    fn open(&mut self, is_object: bool) -> Result<Expect, Damage> {
        if self.depth == MAX_DEPTH {
            return Err(Damage::TooDeep { at: self.at });
        }
        self.at += 1;
        self.depth += 1;
        self.objects = (self.objects << 1) | u64::from(is_object);
        Ok(if is_object { Expect::KeyOrEnd } else { Expect::ValueOrEnd })
    }

    fn is_in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    fn close(&mut self, is_object: bool) -> Result<Expect, Damage> {
        if self.is_in_object() != is_object {
            return Err(self.not_json());
        }
        self.at += 1;
        self.depth -= 1;
        self.objects >>= 1;
        Ok(self.after_value())
    }

    fn comma(&mut self) -> Expect {
        self.at += 1;
        if self.is_in_object() { Expect::Key } else { Expect::Value }
    }

    fn key(&mut self) -> Result<Expect, Damage> {
        let key = self.string_content()?;
        self.at_id = self.depth == 1 && key == "id";
        if self.next_solid() != Some(b':') {
            return Err(self.not_json());
        }
        self.at += 1;
        Ok(Expect::Value)
    }

    fn text(&mut self, is_id: bool) -> Result<(), Damage> {
        let start = self.at;
        let content = self.string_content()?;
        if is_id {
            self.facts.has_id = is_document_id(content);
        }
        let may_be_date = matches!(content.as_bytes().first(), Some(b'0'..=b'9' | b'/' | b'\\'));
        if may_be_date && escaped_looks_like_date(content) {
            return Err(Damage::Date { at: start });
        }
        Ok(())
    }

    /// The content of the string that starts here, still escaped.
    fn string_content(&mut self) -> Result<&'a str, Damage> {
        let bytes = self.json.as_bytes();
        let start = self.at + 1;
        let mut from = start;
        loop {
            let Some(offset) = memchr2(b'"', b'\\', &bytes[from..]) else {
                return Err(self.not_json());
            };
            let stop = from + offset;
            if bytes[stop] == b'"' {
                let content = &self.json[start..stop];
                if content.bytes().any(|byte| byte < 0x20) {
                    return Err(self.not_json());
                }
                self.at = stop + 1;
                return Ok(content);
            }
            from = stop + escape_length(&bytes[stop..]).ok_or_else(|| self.not_json())?;
        }
    }

    fn word(&mut self) -> Result<(), Damage> {
        for word in ["true", "false", "null"] {
            if self.json.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(());
            }
        }
        Err(self.not_json())
    }

    fn number(&mut self) -> Result<(), Damage> {
        let start = self.at;
        let not_json = Damage::NotJson { at: start };
        self.eat(b"-");
        let first_digit = self.json.as_bytes().get(self.at);
        let n_digits = self.digits();
        if n_digits == 0 || (n_digits > 1 && first_digit == Some(&b'0')) {
            return Err(not_json);
        }
        let digits_end = self.at;
        if self.eat(b".") && self.digits() == 0 {
            return Err(not_json);
        }
        let has_exponent = self.eat(b"eE");
        if has_exponent {
            self.eat(b"+-");
            if self.digits() == 0 {
                return Err(not_json);
            }
        }
        if self.at == digits_end && n_digits > 15 {
            let is_exact = |number: u64| number <= MAX_INTEGER;
            let digits = &self.json[digits_end - n_digits..digits_end];
            return if digits.parse().is_ok_and(is_exact) {
                Ok(())
            } else {
                Err(Damage::LargeInteger { at: start })
            };
        }
        // Only an exponent or hundreds of digits reach beyond a double.
        if has_exponent || n_digits > 300 {
            let is_finite = self.json[start..self.at].parse().is_ok_and(f64::is_finite);
            return if is_finite { Ok(()) } else { Err(Damage::NotFinite { at: start }) };
        }
        Ok(())
    }

    /// Steps over one of the wanted bytes, if it is next.
    fn eat(&mut self, wanted: &[u8]) -> bool {
        let is_next = self.json.as_bytes().get(self.at).is_some_and(|byte| wanted.contains(byte));
        self.at += usize::from(is_next);
        is_next
    }

    /// Steps over digits; answers how many.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.json.as_bytes().get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }
}

/// Length of the escape at the start of `bytes`.
fn escape_length(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => bytes.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

fn escaped_looks_like_date(content: &str) -> bool {
    if !content.contains('\\') {
        return looks_like_date(content);
    }
    let mut text = String::new();
    let quoted = format!("{content}\"");
    unescape_into(&quoted, 0, &mut text).is_ok() && looks_like_date(&text)
}

/// Whether Cosmos DB takes the string as an id; ids with escapes are none of ours and are refused.
pub(super) fn is_document_id(content: &str) -> bool {
    let is_allowed = |byte: u8| !b"/\\?#".contains(&byte);
    (1..=MAX_ID_BYTES).contains(&content.len()) && content.bytes().all(is_allowed)
}
