//! Routes of HTTP triggers: a template and a path enter, the route values leave if they match. Pure.
//!
//! Templates know literals, `{name}`, `{name?}` and `{*name}`; letter case does not matter, constraints such as `{id:int}` are read and ignored.

use percent_encoding::percent_decode_str;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter { name: String, optional: bool },
    CatchAll(String),
}

/// Values of a route's parameters, by name.
pub type RouteValues = Vec<(String, String)>;

/// A route template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    segments: Vec<Segment>,
}

impl Route {
    /// Reads a template; the function's name stands in for an empty one.
    #[must_use]
    pub fn new(prefix: &str, template: &str, function: &str) -> Self {
        let template = if template.is_empty() { function } else { template };
        let segments = prefix
            .split('/')
            .chain(template.split('/'))
            .filter(|segment| !segment.is_empty())
            .map(segment)
            .collect();
        Self { segments }
    }

    /// The route values, if the raw path matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> Option<RouteValues> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let mut values = Vec::new();
        let mut parts = parts.as_slice();
        for segment in &self.segments {
            match (segment, parts) {
                (Segment::CatchAll(name), _) => {
                    if !parts.is_empty() {
                        values.push((name.clone(), decode(&parts.join("/"))));
                    }
                    return Some(values);
                }
                (Segment::Parameter { optional: true, .. }, []) => return Some(values),
                (_, []) => return None,
                (Segment::Literal(literal), [part, rest @ ..]) => {
                    if !decode(part).eq_ignore_ascii_case(literal) {
                        return None;
                    }
                    parts = rest;
                }
                (Segment::Parameter { name, .. }, [part, rest @ ..]) => {
                    values.push((name.clone(), decode(part)));
                    parts = rest;
                }
            }
        }
        parts.is_empty().then_some(values)
    }

    /// A key that sorts more specific routes first: literals before parameters before catch-alls.
    #[must_use]
    pub fn precedence(&self) -> Vec<u8> {
        let rank = |segment: &Segment| match segment {
            Segment::Literal(_) => 0,
            Segment::Parameter { .. } => 1,
            Segment::CatchAll(_) => 2,
        };
        self.segments.iter().map(rank).collect()
    }
}

fn segment(text: &str) -> Segment {
    let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return Segment::Literal(text.to_owned());
    };
    if let Some(name) = inner.strip_prefix('*') {
        return Segment::CatchAll(name.trim_start_matches('*').to_owned());
    }
    let optional = inner.ends_with('?');
    let name = inner.trim_end_matches('?').split(':').next().unwrap_or_default().to_owned();
    Segment::Parameter { name, optional }
}

fn decode(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_the_host_does() {
        type Case<'a> = (&'a str, &'a str, Option<&'a [(&'a str, &'a str)]>);
        let cases: [Case<'_>; 9] = [
            ("api/devices/{id?}", "/API/Devices/D1", Some(&[("id", "D1")])),
            ("api/devices/{id?}", "/api/devices/", Some(&[])),
            ("api/devices/{id}", "/api/devices", None),
            ("api/devices/{id}/readings", "/api/devices/a%20b/readings", Some(&[("id", "a b")])),
            ("api/devices/{id}", "/api/devices/a/b", None),
            ("{*path}", "/", Some(&[])),
            ("{*path}", "/a%2Fb/..%2fc", Some(&[("path", "a/b/../c")])),
            ("{id:int}", "/7", Some(&[("id", "7")])),
            ("api/summary", "/api/summaryx", None),
        ];
        for (template, path, expected) in cases {
            let expected = expected.map(|values| {
                values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
            });
            assert_eq!(Route::new("", template, "f").matches(path), expected, "{template} {path}");
        }
    }

    #[test]
    fn specific_routes_come_first() {
        let mut routes = ["{*path}", "api/{id}", "api/summary"].map(|template| Route::new("", template, "f"));
        routes.sort_by_key(Route::precedence);
        assert_eq!(routes[0], Route::new("", "api/summary", "f"));
        assert_eq!(routes[2], Route::new("", "{*path}", "f"));
    }
}
