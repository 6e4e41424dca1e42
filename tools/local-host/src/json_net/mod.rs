//! JSON as the host's .NET library reads and writes it: text enters, a value that has kept order, big numbers and dates leaves, and the other way.
//!
//! The differences from plain JSON are what damages data on the way through the real host (dates rewritten, floats normalized, comments accepted), so they are imitated, not tolerated.

mod date;
mod number;
mod reader;
mod writer;

pub use date::{Date, DateKind};
pub use reader::{ReadError, read, read_with_plain_dates};

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number of any size, as text.
    Integer(String),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A string that does not look like a date.
    String(String),
    /// A string that looked like a date and was taken for one.
    Date(Date),
    /// An array.
    Array(Vec<Json>),
    /// An object in the order of its text; of repeated names the last value is kept, at the first one's place.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A string value.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// An object with these fields.
    #[must_use]
    pub fn object<const N: usize>(fields: [(&str, Json); N]) -> Self {
        Self::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The value of an object's field, its name in exact letter case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(fields) => {
                fields.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The value of an object's field, its name in any letter case.
    #[must_use]
    pub fn get_ignoring_case(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(fields) => fields
                .iter()
                .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Sets a field of an object, in its place if it is there.
    pub fn set(&mut self, name: &str, value: Json) {
        if let Self::Object(fields) = self {
            match fields.iter_mut().find(|(candidate, _)| candidate == name) {
                Some((_, existing)) => *existing = value,
                None => fields.push((name.to_owned(), value)),
            }
        }
    }

    /// The text of a string value.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text that .NET's culture-less conversion of a scalar gives: `True`, `1000`, `01/31/2024 02:00:00`; `None` for arrays, objects and null.
    #[must_use]
    pub fn scalar_text(&self) -> Option<String> {
        match self {
            Self::Bool(true) => Some("True".to_owned()),
            Self::Bool(false) => Some("False".to_owned()),
            Self::Integer(text) | Self::String(text) => Some(text.clone()),
            Self::Float(value) => Some(number::to_text(*value)),
            Self::Date(date) => Some(date.us_text()),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// Compact JSON text.
    #[must_use]
    pub fn to_text(&self) -> String {
        writer::compact(self)
    }

    /// JSON text on several lines, as a .NET writer indents it.
    #[must_use]
    pub fn to_indented_text(&self) -> String {
        writer::indented(self)
    }

    /// The value as a JSON string that holds its JSON text: the "double encoding" of the envelope.
    #[must_use]
    pub fn encoded(&self) -> Json {
        Self::String(self.to_text())
    }

    /// Whether a date inside was written differently from how it will be written again.
    #[must_use]
    pub fn rewritten_dates(&self) -> Vec<&str> {
        match self {
            Self::Date(date) if date.original() != date.to_text() => vec![date.original()],
            Self::Array(items) => items.iter().flat_map(Self::rewritten_dates).collect(),
            Self::Object(fields) => fields.iter().flat_map(|(_, value)| value.rewritten_dates()).collect(),
            _ => Vec::new(),
        }
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Integer(value.to_string())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&serde_json::Value> for Json {
    fn from(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) if number.is_f64() => Self::Float(number.as_f64().unwrap_or_default()),
            Value::Number(number) => Self::Integer(number.to_string()),
            Value::String(text) => Self::String(text.clone()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            Value::Object(fields) => {
                Self::Object(fields.iter().map(|(name, value)| (name.clone(), Self::from(value))).collect())
            }
        }
    }
}
