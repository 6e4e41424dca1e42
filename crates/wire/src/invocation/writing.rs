//! Objects written as JSON, and watched while they are written.
//!
//! Enters: a value to serialize. Leaves: its JSON text, and whether the host might damage it. What is written by a
//! serializer is JSON already, and nearly all of it is numbers and known keys that arrive as they are; so only what is
//! out of the ordinary is looked at again, by the [`super::checker`], whose word counts.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

use super::checker::{MAX_INTEGER, ObjectFacts, is_document_id};
use super::damage::{DATE_BYTES, Damage, MAX_DEPTH, check_object};

/// Room for a usual document.
const BYTES: usize = 4096;

/// Writes an object.
pub(super) fn write(object: &impl Serialize) -> Result<(String, ObjectFacts), Damage> {
    let mut watch = Watch::default();
    let mut json = Vec::with_capacity(BYTES);
    let mut serializer = Serializer::with_formatter(&mut json, Watched(&mut watch));
    let unwritable = |reason: String| Damage::Unwritable { reason };
    object.serialize(&mut serializer).map_err(|error| unwritable(error.to_string()))?;
    let json = String::from_utf8(json).map_err(|error| unwritable(error.to_string()))?;
    let facts = match watch.facts(&json) {
        Some(facts) => facts,
        None => check_object(&json)?,
    };
    Ok((json, facts))
}

/// What was seen while an object was written.
#[derive(Default)]
struct Watch {
    /// Whether anything was out of the ordinary.
    needs_check: bool,
    /// How many of its own keys are `id`, or might be.
    n_ids: u32,
    depth: u32,
    /// A bit for each open bracket says whether it is an object's.
    objects: u64,
    is_key: bool,
    /// A key was written, and not its value.
    lacks_value: bool,
    /// Bytes of the string that is being written, as far as it has come.
    n_bytes: usize,
    /// The string begins as a date does.
    may_be_date: bool,
}

impl Watch {
    /// What is known of the object, if nothing needs a second look.
    fn facts(&self, json: &str) -> Option<ObjectFacts> {
        if self.needs_check || !json.starts_with('{') {
            return None;
        }
        match self.n_ids {
            0 => Some(ObjectFacts { has_id: false }),
            1 => {
                let (id, _) = json.strip_prefix(r#"{"id":""#)?.split_once('"')?;
                Some(ObjectFacts { has_id: is_document_id(id) })
            }
            _ => None,
        }
    }

    fn open(&mut self, is_object: bool) {
        self.depth += 1;
        self.objects = (self.objects << 1) | u64::from(is_object);
        self.needs_check |= self.depth > MAX_DEPTH;
    }

    fn close(&mut self) {
        self.needs_check |= self.lacks_value || self.depth == 0;
        self.depth = self.depth.saturating_sub(1);
        self.objects >>= 1;
    }

    /// A container that was said to be empty is closed before its content is written, which then belongs nowhere.
    fn expect_in(&mut self, is_object: bool) {
        self.needs_check |= self.depth == 0 || (self.objects & 1 == 1) != is_object;
    }

    fn begin_string(&mut self) {
        (self.n_bytes, self.may_be_date) = (0, false);
    }

    fn fragment(&mut self, fragment: &str) {
        let is_first = self.n_bytes == 0;
        self.n_bytes += fragment.len();
        let Some(first) = fragment.as_bytes().first() else { return };
        if !is_first {
            return;
        }
        if self.is_key {
            self.n_ids += u32::from(self.depth == 1 && "id".starts_with(fragment));
            return;
        }
        // What follows the year may come with the next fragment.
        let has_year = first.is_ascii_digit() && fragment.as_bytes().get(4).is_none_or(|byte| *byte == b'-');
        self.may_be_date = has_year;
        self.needs_check |= *first == b'/';
    }

    fn end_string(&mut self) {
        self.needs_check |= self.may_be_date && DATE_BYTES.contains(&self.n_bytes);
    }
}

struct Watched<'a>(&'a mut Watch);

impl Formatter for Watched<'_> {
    fn write_i64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i64) -> io::Result<()> {
        self.0.needs_check |= value.unsigned_abs() > MAX_INTEGER;
        CompactFormatter.write_i64(writer, value)
    }

    fn write_u64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u64) -> io::Result<()> {
        self.0.needs_check |= value > MAX_INTEGER;
        CompactFormatter.write_u64(writer, value)
    }

    fn write_i128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i128) -> io::Result<()> {
        self.0.needs_check = true;
        CompactFormatter.write_i128(writer, value)
    }

    fn write_u128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u128) -> io::Result<()> {
        self.0.needs_check = true;
        CompactFormatter.write_u128(writer, value)
    }

    fn write_number_str<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: &str) -> io::Result<()> {
        self.0.needs_check = true;
        CompactFormatter.write_number_str(writer, value)
    }

    fn write_raw_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.0.needs_check = true;
        CompactFormatter.write_raw_fragment(writer, fragment)
    }

    fn begin_string<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_string();
        CompactFormatter.begin_string(writer)
    }

    fn end_string<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_string();
        CompactFormatter.end_string(writer)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.0.fragment(fragment);
        CompactFormatter.write_string_fragment(writer, fragment)
    }

    /// Nothing that is escaped begins a date.
    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.0.n_bytes += 1;
        CompactFormatter.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.open(false);
        CompactFormatter.begin_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.expect_in(false);
        CompactFormatter.begin_array_value(writer, first)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.close();
        CompactFormatter.end_array(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.open(true);
        CompactFormatter.begin_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.expect_in(true);
        self.0.needs_check |= self.0.lacks_value;
        (self.0.is_key, self.0.lacks_value) = (true, true);
        CompactFormatter.begin_object_key(writer, first)
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.is_key = false;
        CompactFormatter.end_object_key(writer)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.needs_check |= !self.0.lacks_value;
        self.0.lacks_value = false;
        CompactFormatter.begin_object_value(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.close();
        CompactFormatter.end_object(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::ser::{SerializeMap, SerializeSeq};
    use serde_json::{Value, json};

    /// The same, by the check that reads everything.
    fn checked(object: &impl Serialize) -> Result<(String, ObjectFacts), Damage> {
        let json = serde_json::to_string(object).unwrap();
        let facts = check_object(&json)?;
        Ok((json, facts))
    }

    fn nested(depth: u32) -> Value {
        (1..depth).fold(json!({}), |inner, n| if n % 2 == 0 { json!({ "a": inner }) } else { json!([inner]) })
    }

    #[test]
    fn nothing_damaged_gets_through() {
        for value in [
            json!({ "id": "r-1", "rows": [[1, 2.5, null, true]], "text": "2024" }),
            json!({ "at": "2024-01-01T02:00:00Z" }),
            json!({ "at": ["a", "/Date(\n1)/"] }),
            json!({ "at": ["\n2024-01-01T02:00:00", "2024-01-01T02:00:00\n"] }),
            json!({ "writer": "2024a-01-01T02:00:00", "partition": "0", "text": "2024-01-01 02:00:00" }),
            json!({ "2024-01-01T02:00:00Z": "2024-01-01" }),
            json!({ "n": (1_i64 << 53) + 1 }),
            json!({ "n": -(1_i64 << 53) - 1 }),
            json!({ "n": [u64::MAX, 1_i64 << 53, -(1_i64 << 53)] }),
            json!({ "a": { "id": "x" } }),
            json!({ "id": "a/b" }),
            json!({ "id": "a\"b" }),
            json!({ "id": 1, "i": 2, "id\n": 3 }),
            json!({ "id": "" }),
            json!({ "a": 1, "id": "x" }),
            json!({ "a": nested(55) }),
            json!({ "a": nested(56) }),
            json!([]),
            json!("text"),
            json!({}),
        ] {
            assert_eq!(write(&value), checked(&value), "{value}");
        }
    }

    #[test]
    fn a_date_in_pieces_is_a_date() {
        struct Pieces(usize);
        impl Serialize for Pieces {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let (head, tail) = "2024-01-01T02:00:00".split_at(self.0);
                serializer.collect_str(&format_args!("{head}{tail}"))
            }
        }
        for at in 0..19 {
            let document = std::collections::BTreeMap::from([("at", Pieces(at))]);
            assert_eq!(write(&document), Err(Damage::Date { at: 6 }), "{at}");
        }
    }

    #[test]
    fn raw_json_is_looked_at() {
        let raw = |json: &str| {
            std::collections::BTreeMap::from([(
                "a",
                serde_json::value::RawValue::from_string(json.to_owned()).unwrap(),
            )])
        };
        assert_eq!(write(&raw("\"2024-01-01T02:00:00Z\"")), Err(Damage::Date { at: 5 }));
        assert!(write(&raw("[1]")).is_ok());
    }

    /// A serializer that does not keep to the rules; what it writes is no JSON.
    #[derive(Clone, Copy, Debug)]
    enum Broken {
        NotEmptyArray,
        NotEmptyObject,
        KeyWithoutValue,
        LastKeyWithoutValue,
        TwoValues,
        IdTwice,
    }

    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            match self {
                Self::NotEmptyArray => map.serialize_entry("a", &Filled)?,
                Self::NotEmptyObject => map.serialize_entry("a", &vec![Filled])?,
                Self::KeyWithoutValue => {
                    map.serialize_key("a")?;
                    map.serialize_entry("b", &1)?;
                }
                Self::LastKeyWithoutValue => map.serialize_key("a")?,
                Self::TwoValues => {
                    map.serialize_entry("a", &1)?;
                    map.serialize_value(&1)?;
                }
                Self::IdTwice => {
                    map.serialize_entry("id", "a")?;
                    map.serialize_entry("id", "")?;
                }
            }
            map.end()
        }
    }

    /// Says that it is empty, and is not.
    struct Filled;

    impl Serialize for Filled {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut seq = serializer.serialize_seq(Some(0))?;
            seq.serialize_element(&1)?;
            seq.end()
        }
    }

    #[test]
    fn a_serializer_that_breaks_the_rules_is_found_out() {
        for broken in [
            Broken::NotEmptyArray,
            Broken::NotEmptyObject,
            Broken::KeyWithoutValue,
            Broken::LastKeyWithoutValue,
            Broken::TwoValues,
            Broken::IdTwice,
        ] {
            assert_eq!(write(&broken), checked(&broken), "{broken:?}");
        }
    }

    #[test]
    fn what_cannot_be_written_says_why() {
        let keyed_by_array = std::collections::BTreeMap::from([([1, 2], 3)]);
        assert!(matches!(write(&keyed_by_array), Err(Damage::Unwritable { .. })));
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z\\\\\"\n\u{e9}/]{0,8}",
            prop::sample::select(vec!["id", "i", "d", "2024-01-01T02:00:00", "/Date(1)/", "1", "/Date("])
                .prop_map(str::to_owned),
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            text().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::hash_map(text(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn says_what_the_full_check_says(value in value(), in_object in any::<bool>()) {
            let value = if in_object { json!({ "id": "r-1", "v": value }) } else { value };
            prop_assert_eq!(write(&value), checked(&value));
        }
    }
}
