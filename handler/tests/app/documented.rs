//! What `docs/api.md` promises: its JSON examples, and whether an answer has their fields, all of them and no others.

use serde_json::Value;

/// The first JSON example below the heading of an endpoint, such as `GET /api/devices`.
pub(crate) fn example(endpoint: &str) -> Value {
    let page = include_str!("../../../docs/api.md");
    let section = page.split("\n## ").find(|section| section.starts_with(&format!("`{endpoint}`")));
    let section = section.unwrap_or_else(|| panic!("docs/api.md has no heading `{endpoint}`"));
    let (_, block) = section.split_once("```json\n").expect("a JSON example");
    let (json, _) = block.split_once("```").expect("an example that ends");
    serde_json::from_str(json).unwrap_or_else(|error| panic!("the example of {endpoint}: {error}"))
}

/// Asserts that an answer has the fields of the documented one, with values of the same kind.
pub(crate) fn assert_as_documented(endpoint: &str, answer: &Value) {
    compare(endpoint, &example(endpoint), answer);
}

fn compare(place: &str, documented: &Value, answer: &Value) {
    match (documented, answer) {
        // An example shows a value or its absence, an answer the other.
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(documented), Value::Object(answer)) => {
            let names = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
            let (mut expected, mut found) = (names(documented), names(answer));
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "fields of {place}");
            for (name, value) in documented {
                compare(&format!("{place}.{name}"), value, &answer[name]);
            }
        }
        (Value::Array(documented), Value::Array(answer)) => {
            let documented =
                documented.first().unwrap_or_else(|| panic!("{place}: an example without element"));
            for (n, element) in answer.iter().enumerate() {
                compare(&format!("{place}[{n}]"), documented, element);
            }
        }
        (documented, answer) => {
            let same = std::mem::discriminant(documented) == std::mem::discriminant(answer);
            assert!(same, "{place}: documented {documented}, answered {answer}");
        }
    }
}

#[test]
fn an_answer_that_differs_from_the_page_is_noticed() {
    for wrong in [
        r#"{"devices":[],"next":null,"more":true}"#,
        r#"{"devices":[{}],"next":null}"#,
        r#"{"devices":{},"next":null}"#,
        r#"{"next":null}"#,
    ] {
        let wrong: Value = serde_json::from_str(wrong).unwrap();
        let caught = std::panic::catch_unwind(|| assert_as_documented("GET /api/devices", &wrong));
        assert!(caught.is_err(), "{wrong}");
    }
}
