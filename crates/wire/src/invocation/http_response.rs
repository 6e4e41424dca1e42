//! The response for the caller of an enveloped HTTP function.
//!
//! Enters: status, headers and body. Leaves: the `res` output, or what the host's web server would make of it otherwise.

use super::damage::{Damage, looks_like_date};
use super::push::{push_field, push_key};

/// The response that the caller of an enveloped HTTP function gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// Status, 200 to 599; 204, 205 and 304 only without a body.
    pub status_code: u16,
    /// Names and values; the host appends `; charset=utf-8` to the content type.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

impl HttpResponse {
    /// A response with a JSON body.
    #[must_use]
    pub fn json(status_code: u16, body: String) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Self { status_code, headers, body }
    }

    /// Checks that the caller gets it as it is.
    pub(super) fn check(&self) -> Result<(), Damage> {
        let HttpResponse { status_code, headers, body } = self;
        let may_have_body = !matches!(status_code, 204 | 205 | 304);
        if !(200..=599).contains(status_code) || (!may_have_body && !body.is_empty()) {
            return Err(Damage::Status { status_code: *status_code, n_body_bytes: body.len() });
        }
        if looks_like_date(body) {
            return Err(Damage::DateIn { part: "response body" });
        }
        for (index, (name, value)) in headers.iter().enumerate() {
            let is_repeated = headers[..index].iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            if let Some(reason) = header_fault(name, value, is_repeated) {
                return Err(Damage::Header { index, reason });
            }
        }
        Ok(())
    }

    /// Writes the output.
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"statusCode\":");
        out.extend_from_slice(self.status_code.to_string().as_bytes());
        if !self.headers.is_empty() {
            push_key(out, "headers");
            out.push(b'{');
            for (name, value) in &self.headers {
                push_field(out, name, value);
            }
            out.push(b'}');
        }
        if !self.body.is_empty() {
            push_field(out, "body", &self.body);
        }
        out.push(b'}');
    }
}

/// Why the host's web server would refuse or drop a header, or be misled by it.
fn header_fault(name: &str, value: &str, is_repeated: bool) -> Option<&'static str> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_framing = |framing: &&str| framing.eq_ignore_ascii_case(name);
    if name.is_empty() || !name.bytes().all(is_token) {
        Some("its name is not a token")
    } else if !value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        Some("its value is not printable ascii")
    } else if is_repeated {
        Some("it is repeated")
    } else if ["content-length", "transfer-encoding", "connection"].iter().any(is_framing) {
        Some("the host frames the response itself")
    } else if looks_like_date(value) {
        Some("its value looks like a date, which the host rewrites")
    } else {
        None
    }
}
