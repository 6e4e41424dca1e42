//! The writer: compact or indented by two spaces, with the .NET library's escapes.

use super::{Json, number};

pub(super) fn compact(value: &Json) -> String {
    let mut text = String::new();
    write(value, &mut text, None);
    text
}

pub(super) fn indented(value: &Json) -> String {
    let mut text = String::new();
    write(value, &mut text, Some(0));
    text
}

fn write(value: &Json, text: &mut String, indent: Option<usize>) {
    match value {
        Json::Null => text.push_str("null"),
        Json::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Json::Integer(digits) => text.push_str(digits),
        Json::Float(value) => text.push_str(&number::to_json(*value)),
        Json::String(string) => write_string(string, text),
        Json::Date(date) => write_string(&date.to_text(), text),
        Json::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(text, index, indent);
                write(item, text, indent.map(|level| level + 1));
            }
            close(text, ']', items.is_empty(), indent);
        }
        Json::Object(fields) => {
            text.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                separate(text, index, indent);
                write_string(name, text);
                text.push_str(if indent.is_some() { ": " } else { ":" });
                write(value, text, indent.map(|level| level + 1));
            }
            close(text, '}', fields.is_empty(), indent);
        }
    }
}

fn separate(text: &mut String, index: usize, indent: Option<usize>) {
    if index > 0 {
        text.push(',');
    }
    if let Some(level) = indent {
        text.push('\n');
        text.push_str(&"  ".repeat(level + 1));
    }
}

fn close(text: &mut String, bracket: char, empty: bool, indent: Option<usize>) {
    if let Some(level) = indent.filter(|_| !empty) {
        text.push('\n');
        text.push_str(&"  ".repeat(level));
    }
    text.push(bracket);
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for letter in string.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\0'..'\u{20}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => text.push(letter),
        }
    }
    text.push('"');
}
