//! JSON text inside a JSON string, read without unescaping it first.
//!
//! Enters: an envelope's text and the place where such a string's content begins. Leaves: the events' texts or the system
//! properties, and the place after the closing quote. It knows only the form in which the host writes: compact, with `\"`
//! for quotes and `\\` for backslashes. Anything else is `None`, whereupon the caller takes the long way: it unescapes
//! the string and reads it as any JSON. This way saves copying a kilobyte an event to read thirty bytes of it.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

use super::properties::SystemProperties;
use super::unescape::unescape_unicode;

/// A place in the content of a JSON string whose content is JSON.
struct Escaped<'a> {
    text: &'a str,
    at: usize,
}

/// Unescapes an array of strings twice, into one buffer; answers the offset after the outer string.
pub(super) fn read_texts(
    text: &str,
    content: usize,
    texts: &mut String,
    bounds: &mut Vec<Range<usize>>,
) -> Option<usize> {
    let mut escaped = Escaped { text, at: content };
    escaped.elements(|escaped| {
        let start = texts.len();
        escaped.push_text(texts)?;
        bounds.push(start..texts.len());
        Some(())
    })
}

/// Reads identities out of an array of objects; answers them and the offset after the outer string.
///
/// Positions and times are not read: they have arrays of their own.
pub(super) fn read_identities(text: &str, content: usize) -> Option<(Vec<SystemProperties<'_>>, usize)> {
    let mut escaped = Escaped { text, at: content };
    let mut identities = Vec::new();
    let end = escaped.elements(|escaped| {
        identities.push(escaped.identity()?);
        Some(())
    })?;
    Some((identities, end))
}

impl<'a> Escaped<'a> {
    fn eat(&mut self, wanted: &[u8]) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        if !rest.starts_with(wanted) {
            return None;
        }
        self.at += wanted.len();
        Some(())
    }

    fn next_byte(&mut self) -> Option<u8> {
        let byte = self.text.as_bytes().get(self.at)?;
        self.at += 1;
        Some(*byte)
    }

    /// Walks an array up to the end of the outer string.
    fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<usize> {
        self.eat(b"[")?;
        if self.eat(b"]\"").is_some() {
            return Some(self.at);
        }
        loop {
            element(self)?;
            match self.next_byte()? {
                b',' => {}
                b']' => {
                    self.eat(b"\"")?;
                    return Some(self.at);
                }
                _ => return None,
            }
        }
    }

    fn identity(&mut self) -> Option<SystemProperties<'a>> {
        let mut identity = SystemProperties::default();
        self.eat(b"{")?;
        if self.eat(b"}").is_some() {
            return Some(identity);
        }
        loop {
            let key = self.plain_string()?;
            self.eat(b":")?;
            match key {
                "iothub-connection-device-id" => identity.device_id = self.text_value()?,
                "iothub-message-source" => identity.message_source = self.text_value()?,
                "message-id" => identity.message_id = self.text_value()?,
                _ => self.skip_value()?,
            }
            match self.next_byte()? {
                b',' => {}
                b'}' => return Some(identity),
                _ => return None,
            }
        }
    }

    /// A string's content; it must have no escapes of its own.
    fn plain_string(&mut self) -> Option<&'a str> {
        self.eat(b"\\\"")?;
        let start = self.at;
        let end = self.find_backslash()?;
        self.at = end;
        self.eat(b"\\\"")?;
        Some(&self.text[start..end])
    }

    /// The next value if it is a string, else nothing.
    fn text_value(&mut self) -> Option<Option<Cow<'a, str>>> {
        if self.text.as_bytes().get(self.at) == Some(&b'\\') {
            return Some(Some(Cow::Borrowed(self.plain_string()?)));
        }
        self.skip_value()?;
        Some(None)
    }

    /// The offset of the next backslash; none may be missing before the outer string's end.
    fn find_backslash(&self) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let found = self.at + memchr2(b'\\', b'"', bytes.get(self.at..)?)?;
        if bytes[found] == b'\\' { Some(found) } else { None }
    }

    fn skip_value(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at)? {
            b'\\' => self.skip_string(),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                self.at += bytes[self.at..].iter().take_while(is_part).count();
                Some(())
            }
            _ => None,
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        self.eat(b"\\\"")?;
        loop {
            let backslash = self.find_backslash()?;
            self.at = backslash + 1;
            match self.next_byte()? {
                b'"' => return Some(()),
                b'\\' => self.skip_inner_escape()?,
                _ => return None,
            }
        }
    }

    /// Steps over what follows an inner backslash, which is written as two.
    fn skip_inner_escape(&mut self) -> Option<()> {
        match self.next_byte()? {
            b'\\' => match self.next_byte()? {
                b'"' | b'\\' => Some(()),
                _ => None,
            },
            b'"' => None,
            _ => Some(()),
        }
    }

    fn push_text(&mut self, out: &mut String) -> Option<()> {
        self.eat(b"\\\"")?;
        loop {
            let backslash = self.find_backslash()?;
            out.push_str(&self.text[self.at..backslash]);
            self.at = backslash + 1;
            match self.next_byte()? {
                b'"' => return Some(()),
                b'\\' => self.push_inner_escape(out)?,
                _ => return None,
            }
        }
    }

    /// Appends what an inner escape stands for; the inner backslash, written as two, is behind us.
    fn push_inner_escape(&mut self, out: &mut String) -> Option<()> {
        let character = match self.next_byte()? {
            b'\\' => match self.next_byte()? {
                b'"' => '"',
                b'\\' => '\\',
                _ => return None,
            },
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'/' => '/',
            b'u' => {
                // A pair of surrogates would have a doubled backslash between its halves: the long way reads that.
                let after = unescape_unicode(self.text.as_bytes(), self.at - 2, out).ok()?;
                let is_pair = out.ends_with(char::REPLACEMENT_CHARACTER);
                self.at = after;
                return if is_pair { None } else { Some(()) };
            }
            _ => return None,
        };
        out.push(character);
        Some(())
    }
}
