//! What requests have consumed: each request with its reply enters, sums by kind of request leave.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use azure_core::http::Method;
use serde::Serialize;

use super::account::{Exchange, Reply};

const IS_UPSERT: &str = "x-ms-documentdb-is-upsert";
const IS_QUERY: [&str; 2] = ["x-ms-documentdb-isquery", "x-ms-documentdb-query"];
const IS_QUERY_PLAN: &str = "x-ms-cosmos-is-query-plan-request";
const CHARGE: &str = "x-ms-request-charge";

/// Kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// One document by its id.
    PointRead,
    /// One page of a query or of a list of documents.
    Query,
    /// One document, created or replaced.
    Upsert,
    /// Any other change of documents.
    OtherWrite,
    /// What is asked about the account, its containers and the plan of a query.
    About,
}

impl Kind {
    /// The kind of a request.
    #[must_use]
    pub fn of(exchange: &Exchange) -> Self {
        let path = exchange.path_and_query.split('?').next().unwrap_or_default();
        let mut segments = path.split('/').filter(|segment| !segment.is_empty()).skip(4);
        let (documents, id) = (segments.next(), segments.next());
        if documents != Some("docs") {
            return Self::About;
        }
        let says = |wanted: &str| {
            exchange.headers.iter().any(|(name, value)| name == wanted && value.eq_ignore_ascii_case("true"))
        };
        match (exchange.method, id) {
            (Method::Get, Some(_)) => Self::PointRead,
            (Method::Get, None) => Self::Query,
            (Method::Post, _) if says(IS_QUERY_PLAN) => Self::About,
            (Method::Post, _) if IS_QUERY.into_iter().any(says) => Self::Query,
            (Method::Post, _) if says(IS_UPSERT) => Self::Upsert,
            _ => Self::OtherWrite,
        }
    }
}

/// Sums of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Consumption {
    /// Requests, refused ones included.
    pub requests: u64,
    /// What the emulator charged, by its own model of request units.
    pub request_units: f64,
    /// Bytes of the request bodies.
    pub bytes_sent: u64,
    /// Bytes of the reply bodies.
    pub bytes_received: u64,
}

/// Sums by kind.
#[derive(Debug, Default)]
pub struct Figures {
    sums: Mutex<BTreeMap<Kind, Consumption>>,
}

impl Figures {
    /// Counts one request with `sent` bytes of body.
    pub(super) fn count(&self, kind: Kind, sent: usize, reply: &Reply) {
        let charge = reply.headers.iter().find(|(name, _)| name == CHARGE);
        let charge: f64 = charge.and_then(|(_, value)| value.parse().ok()).unwrap_or(0.0);
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sums.entry(kind).or_default();
        sum.requests += 1;
        sum.request_units += charge;
        sum.bytes_sent += sent as u64;
        sum.bytes_received += reply.body.len() as u64;
    }

    /// The sums so far.
    #[must_use]
    pub fn sums(&self) -> BTreeMap<Kind, Consumption> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        let of = |method, path: &str, header: &str| {
            Kind::of(&Exchange {
                method,
                path_and_query: path.to_owned(),
                headers: vec![(header.to_owned(), "True".to_owned())],
                body: Vec::new(),
            })
        };
        for (method, path, header, kind) in [
            (Method::Get, "/dbs/d/colls/c/docs/docs", "", Kind::PointRead),
            (Method::Get, "/dbs/d/colls/c/docs", "", Kind::Query),
            (Method::Post, "/dbs/d/colls/c/docs", IS_QUERY[0], Kind::Query),
            (Method::Post, "/dbs/d/colls/c/docs", IS_QUERY_PLAN, Kind::About),
            (Method::Post, "/dbs/d/colls/c/docs/", IS_UPSERT, Kind::Upsert),
            (Method::Post, "/dbs/d/colls/c/docs", "", Kind::OtherWrite),
            (Method::Delete, "/dbs/d/colls/c/docs/x", "", Kind::OtherWrite),
            (Method::Get, "/dbs/d/colls/c/pkranges", "", Kind::About),
            (Method::Get, "/", "", Kind::About),
        ] {
            assert_eq!(of(method, path, header), kind, "{method} {path} {header}");
        }
    }
}
