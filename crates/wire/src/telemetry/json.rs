//! The text of an event as JSON of any form, of which only what may belong to a reading is kept.
//!
//! Enters: the text. Leaves: the fields of one reading, or those of many. It refuses to judge what a field holds.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::MAX_READINGS_PER_EVENT;

/// A JSON value, as far as something is done with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Value<'a> {
    /// Absent or `null`.
    #[default]
    Missing,
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Object(Box<Object<'a>>),
    Array(Elements<'a>),
    /// Anything that means nothing in its place.
    Other,
}

/// The fields of a reading, or of a pack of readings.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Object<'a> {
    pub(super) device_id: Value<'a>,
    pub(super) temperature: Value<'a>,
    pub(super) timestamp: Value<'a>,
    pub(super) readings: Option<Value<'a>>,
}

/// The elements of an array, kept up to the limit and counted beyond it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Elements<'a> {
    pub(super) elements: Vec<Value<'a>>,
    pub(super) n_elements: usize,
}

/// A whole event.
pub(super) struct Event<'a>(pub(super) Value<'a>);

impl<'de> Deserialize<'de> for Event<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Place::Event.deserialize(deserializer).map(Self)
    }
}

/// Where a value stands, which decides how much of it is kept.
#[derive(Clone, Copy)]
enum Place {
    Event,
    /// The value of `readings`.
    Readings,
    /// One of many readings.
    Element,
    Field,
}

impl<'de> DeserializeSeed<'de> for Place {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Missing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "too large for every field in either form")]
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut found = Elements::default();
        if matches!(self, Self::Event | Self::Readings) {
            while found.n_elements < MAX_READINGS_PER_EVENT {
                let Some(element) = seq.next_element_seed(Self::Element)? else {
                    return Ok(Value::Array(found));
                };
                found.elements.push(element);
                found.n_elements += 1;
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            found.n_elements += 1;
        }
        Ok(if matches!(self, Self::Event | Self::Readings) { Value::Array(found) } else { Value::Other })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        if matches!(self, Self::Readings | Self::Field) {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Other);
        }
        let mut object = Object::default();
        while let Some(key) = map.next_key_seed(Self::Field)? {
            let Value::Text(key) = key else { continue };
            match &*key {
                "deviceId" => object.device_id = map.next_value_seed(Self::Field)?,
                "temperature" => object.temperature = map.next_value_seed(Self::Field)?,
                "timestamp" => object.timestamp = map.next_value_seed(Self::Field)?,
                "readings" => object.readings = Some(map.next_value_seed(self.of_readings())?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(Box::new(object)))
    }
}

impl Place {
    /// Packs do not nest: what an element has for readings is not looked at.
    fn of_readings(self) -> Self {
        match self {
            Self::Event => Self::Readings,
            Self::Readings | Self::Element | Self::Field => Self::Field,
        }
    }
}
