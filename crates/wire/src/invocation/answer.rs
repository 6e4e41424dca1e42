//! What the handler answers an invocation with.
//!
//! Enters: documents, live messages, a response for the caller, log lines. Leaves: an [`Answer`], status, content type and
//! body, that the host takes as it is. It refuses to know what is in a document.
//!
//! The host is strict: an empty body or `null` hangs the invocation until its timeout, another content type fails it, a
//! status beyond 2xx discards everything, `status` in the place of `statusCode` is ignored. None of these can be built here.
//! See `DefaultHttpWorkerService.cs` and `HttpBinding.cs` in <https://github.com/Azure/azure-functions-host>.

use super::damage::{Damage, ObjectFacts, check_object, looks_like_date};

/// Largest document that Cosmos DB takes.
const MAX_DOCUMENT_BYTES: usize = 2 * 1024 * 1024;

/// A complete answer to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    body: Vec<u8>,
}

/// What an invocation has to say, by our bindings' names.
#[derive(Debug, Default)]
pub struct Outputs {
    /// For Cosmos DB: written one after another, in this order.
    pub documents: Vec<RawObject>,
    /// For SignalR: sent one after another, in this order.
    pub live: Vec<LiveItem>,
    /// For the caller of an enveloped HTTP function.
    pub response: Option<HttpResponse>,
    /// Lines for the invocation's log, at information level.
    pub logs: Vec<String>,
}

/// JSON text of one object that the host does not damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawObject {
    json: String,
    facts: ObjectFacts,
}

/// One message or group change for SignalR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveItem(LiveKind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum LiveKind {
    Message { audience: Audience, target: String, arguments: Vec<RawObject> },
    Group { change: GroupChange, user: String, group: String },
}

/// Who gets a live message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Every connected client.
    Everyone,
    /// The connections of one user.
    User(String),
    /// The members of a group.
    Group(String),
}

/// What happens to a user's membership in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupChange {
    /// Joins.
    Add,
    /// Leaves.
    Remove,
}

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

impl Answer {
    /// The content type of every answer.
    pub const CONTENT_TYPE: &'static str = "application/json";

    /// Success without outputs: `{}`.
    #[must_use]
    pub fn empty() -> Self {
        Self { status: 200, body: b"{}".to_vec() }
    }

    /// Failure: the host discards the body, and retries if the function has a policy.
    ///
    /// The message is for whoever calls the handler by hand; log it before answering.
    #[must_use]
    pub fn failure(message: &str) -> Self {
        let mut body = br#"{"error":{"message":"#.to_vec();
        push_string(&mut body, message);
        body.extend_from_slice(b"}}");
        Self { status: 500, body }
    }

    /// Success with nothing but a response for the caller.
    ///
    /// # Errors
    ///
    /// [`Damage`] when the response cannot be sent as it is.
    pub fn respond(response: HttpResponse) -> Result<Self, Damage> {
        Outputs { response: Some(response), ..Outputs::default() }.into_answer()
    }

    /// HTTP status: 200, or 500 for a failure.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body, never empty.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, to be sent.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

impl Outputs {
    /// Writes the answer into one buffer.
    ///
    /// # Errors
    ///
    /// [`Damage`] when a document has no usable `id` or is too large, or the response or a log line cannot be sent.
    pub fn into_answer(self) -> Result<Answer, Damage> {
        check_documents(&self.documents)?;
        if let Some(response) = &self.response {
            check_response(response)?;
        }
        let mut body = Vec::with_capacity(self.estimated_bytes());
        body.push(b'{');
        if !self.documents.is_empty() || !self.live.is_empty() || self.response.is_some() {
            body.extend_from_slice(b"\"Outputs\":{");
            self.push_outputs(&mut body);
            body.push(b'}');
        }
        if !self.logs.is_empty() {
            push_key(&mut body, "Logs");
            push_list(&mut body, &self.logs, |out, line| push_string(out, line));
        }
        body.push(b'}');
        Ok(Answer { status: 200, body })
    }

    fn push_outputs(&self, body: &mut Vec<u8>) {
        if !self.documents.is_empty() {
            push_key(body, "documents");
            push_list(body, &self.documents, |out, document| out.extend_from_slice(document.json.as_bytes()));
        }
        if !self.live.is_empty() {
            push_key(body, "live");
            push_list(body, &self.live, push_live);
        }
        if let Some(response) = &self.response {
            push_key(body, "res");
            push_response(body, response);
        }
    }

    fn estimated_bytes(&self) -> usize {
        let documents: usize = self.documents.iter().map(|document| document.json.len() + 1).sum();
        let response = self.response.as_ref().map_or(0, |response| response.body.len() * 5 / 4 + 256);
        documents
            + response
            + self.live.len() * 2048
            + self.logs.iter().map(|line| line.len() + 8).sum::<usize>()
            + 64
    }
}

impl RawObject {
    /// Takes the JSON text of one object, as serialized.
    ///
    /// One pass over the text: it must be JSON, and hold nothing that the host would damage.
    ///
    /// # Errors
    ///
    /// The first [`Damage`].
    pub fn new(json: impl Into<String>) -> Result<Self, Damage> {
        let json = json.into();
        let facts = check_object(&json)?;
        Ok(Self { json, facts })
    }

    /// Takes the bytes of the JSON text of one object.
    ///
    /// # Errors
    ///
    /// As [`RawObject::new`]; text that is not UTF-8 is not JSON.
    pub fn from_bytes(json: Vec<u8>) -> Result<Self, Damage> {
        let json = String::from_utf8(json)
            .map_err(|error| Damage::NotJson { at: error.utf8_error().valid_up_to() })?;
        Self::new(json)
    }

    /// The JSON text.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }
}

impl LiveItem {
    /// A message: `target` is the name of the client's method.
    ///
    /// # Errors
    ///
    /// [`Damage`] when a name is empty or looks like a date.
    pub fn message(audience: Audience, target: &str, arguments: Vec<RawObject>) -> Result<Self, Damage> {
        check_name(target, "target")?;
        match &audience {
            Audience::Everyone => {}
            Audience::User(user) => check_name(user, "user")?,
            Audience::Group(group) => check_name(group, "group")?,
        }
        Ok(Self(LiveKind::Message { audience, target: target.to_owned(), arguments }))
    }

    /// A change of a user's membership in a group.
    ///
    /// # Errors
    ///
    /// [`Damage`] when a name is empty or looks like a date.
    pub fn group(change: GroupChange, user: &str, group: &str) -> Result<Self, Damage> {
        check_name(user, "user")?;
        check_name(group, "group")?;
        Ok(Self(LiveKind::Group { change, user: user.to_owned(), group: group.to_owned() }))
    }
}

impl HttpResponse {
    /// A response with a JSON body.
    #[must_use]
    pub fn json(status_code: u16, body: String) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Self { status_code, headers, body }
    }
}

fn check_documents(documents: &[RawObject]) -> Result<(), Damage> {
    for (index, document) in documents.iter().enumerate() {
        if !document.facts.has_id {
            return Err(Damage::DocumentId { index });
        }
        let n_bytes = document.json.len();
        if n_bytes > MAX_DOCUMENT_BYTES {
            return Err(Damage::DocumentSize { index, n_bytes });
        }
    }
    Ok(())
}

fn check_name(name: &str, part: &'static str) -> Result<(), Damage> {
    if name.is_empty() {
        return Err(Damage::EmptyName { part });
    }
    if looks_like_date(name) { Err(Damage::DateIn { part }) } else { Ok(()) }
}

fn check_response(response: &HttpResponse) -> Result<(), Damage> {
    let HttpResponse { status_code, headers, body } = response;
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

fn push_live(out: &mut Vec<u8>, item: &LiveItem) {
    match &item.0 {
        LiveKind::Message { audience, target, arguments } => {
            out.extend_from_slice(b"{\"target\":");
            push_string(out, target);
            out.extend_from_slice(b",\"arguments\":");
            push_list(out, arguments, |out, argument| out.extend_from_slice(argument.json.as_bytes()));
            match audience {
                Audience::Everyone => {}
                Audience::User(user) => push_field(out, "userId", user),
                Audience::Group(group) => push_field(out, "groupName", group),
            }
        }
        LiveKind::Group { change, user, group } => {
            out.extend_from_slice(b"{\"action\":");
            push_string(
                out,
                match change {
                    GroupChange::Add => "add",
                    GroupChange::Remove => "remove",
                },
            );
            push_field(out, "userId", user);
            push_field(out, "groupName", group);
        }
    }
    out.push(b'}');
}

fn push_response(out: &mut Vec<u8>, response: &HttpResponse) {
    out.extend_from_slice(b"{\"statusCode\":");
    out.extend_from_slice(response.status_code.to_string().as_bytes());
    if !response.headers.is_empty() {
        push_key(out, "headers");
        out.push(b'{');
        for (name, value) in &response.headers {
            push_field(out, name, value);
        }
        out.push(b'}');
    }
    if !response.body.is_empty() {
        push_field(out, "body", &response.body);
    }
    out.push(b'}');
}

fn push_field(out: &mut Vec<u8>, key: &str, value: &str) {
    push_key(out, key);
    push_string(out, value);
}

/// Writes a key, and the comma before it unless it is the object's first.
fn push_key(out: &mut Vec<u8>, key: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    push_string(out, key);
    out.push(b':');
}

fn push_list<T>(out: &mut Vec<u8>, items: &[T], push: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push(out, item);
    }
    out.push(b']');
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
