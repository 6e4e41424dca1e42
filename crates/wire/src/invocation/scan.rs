//! JSON objects walked without being built.
//!
//! Enters: JSON text. Leaves: its keys and the text of its values, one after another, found by jumping from mark to mark.
//! It refuses to judge what it jumps over: text that is skipped is not checked, text that is wanted is read by others.
//! Nothing here recurses, so no nesting can exhaust the stack.

use super::unescape::unescape_into;
use crate::plain::find_mark;

/// JSON text that is broken where it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadJson {
    /// Offset of the fault in bytes.
    pub(super) at: usize,
}

/// A place in JSON text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn bad<T>(&self) -> Result<T, BadJson> {
        Err(BadJson { at: self.at })
    }

    /// The next byte that is not white space, which stays.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Steps over `wanted` and white space before it, if it comes next.
    pub(super) fn eat(&mut self, wanted: u8) -> bool {
        let is_next = self.peek() == Some(wanted);
        self.at += usize::from(is_next);
        is_next
    }

    /// Walks an object: `visit` gets each key, still escaped, and must step over the value.
    pub(super) fn object<E: From<BadJson>>(
        &mut self,
        mut visit: impl FnMut(&mut Self, &'a str) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.eat(b'{') {
            return Ok(self.bad()?);
        }
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Ok(self.bad()?);
            }
            let key = self.string()?;
            if !self.eat(b':') {
                return Ok(self.bad()?);
            }
            visit(self, key)?;
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Ok(self.bad()?);
            }
        }
    }

    /// Steps over the string that begins here; answers its content, still escaped.
    pub(super) fn string(&mut self) -> Result<&'a str, BadJson> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut from = start;
        while let Some(mark) = find_mark(bytes, from) {
            match bytes[mark] {
                b'"' => {
                    self.at = mark + 1;
                    return Ok(&self.text[start..mark]);
                }
                // Whatever is escaped: it is not the end.
                b'\\' => from = mark + 2,
                _ => from = mark + 1,
            }
        }
        Err(BadJson { at: bytes.len() })
    }

    /// Steps over the string that begins here; answers its content, unescaped.
    pub(super) fn unescaped(&mut self) -> Result<String, BadJson> {
        let mut content = String::new();
        self.at =
            unescape_into(self.text, self.at + 1, &mut content).map_err(|bad| BadJson { at: bad.at })?;
        Ok(content)
    }

    /// Steps over the value that comes next; answers its text.
    pub(super) fn value(&mut self) -> Result<&'a str, BadJson> {
        let bytes = self.text.as_bytes();
        let Some(first) = self.peek() else {
            return self.bad();
        };
        let start = self.at;
        match first {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => self.container()?,
            _ => {
                let is_part = |byte: &&u8| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
                self.at += bytes[start..].iter().take_while(is_part).count();
            }
        }
        if self.at == start { self.bad() } else { Ok(&self.text[start..self.at]) }
    }

    fn container(&mut self) -> Result<(), BadJson> {
        let bytes = self.text.as_bytes();
        let mut depth = 0_usize;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
        self.bad()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(json: &str) -> Result<Vec<(&str, &str)>, BadJson> {
        let mut found = Vec::new();
        let mut scanner = Scanner::new(json);
        scanner.object(|scanner, key| {
            found.push((key, scanner.value()?));
            Ok::<(), BadJson>(())
        })?;
        if scanner.peek().is_some() { scanner.bad() } else { Ok(found) }
    }

    #[test]
    fn entries_of_an_object() {
        let json = r#" { "a" : "x\"]}" , "b":[1,{"c":"]\\"}],"d":{"e":{}} ,"f":-1.5e3,"g":null } "#;
        let expected = [
            ("a", r#""x\"]}""#),
            ("b", r#"[1,{"c":"]\\"}]"#),
            ("d", r#"{"e":{}}"#),
            ("f", "-1.5e3"),
            ("g", "null"),
        ];
        assert_eq!(entries(json).unwrap(), expected);
        assert_eq!(entries("{}").unwrap(), []);
    }

    #[test]
    fn broken_objects() {
        for json in [
            "",
            "[]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":}",
            "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\":\"x",
            "{a:1}",
            "{}x",
        ] {
            assert!(entries(json).is_err(), "{json}");
        }
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(entries(&deep).unwrap().len(), 1);
        assert!(entries(&deep[..deep.len() - 2]).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), json in r#"[{}\[\]":,\\ a0]{0,30}"#) {
            let _ = (entries(&text), entries(&json));
        }
    }
}
