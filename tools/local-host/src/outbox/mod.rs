//! The mail that an app wrote to files where it has no mail server: a list and each letter leave as pages.
//!
//! It refuses to know what letters are about. Their HTML is shown in a frame that may run nothing and load nothing.

mod letter;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as Segment, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};

use self::letter::Letter;
use crate::config::Settings;

/// The setting that names the folder.
const SETTING: &str = "OUTBOX";
/// Letters in the list.
const MOST_LISTED: usize = 200;
/// What a page and the frames in it may do.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'",
);

/// Names the folder in the settings, unless they name another, and answers it.
pub(crate) fn lead_here(data: &Path, settings: &mut Settings) -> PathBuf {
    if let Some(folder) = settings.get(SETTING).filter(|folder| !folder.is_empty()) {
        return PathBuf::from(folder);
    }
    let folder = std::path::absolute(data).unwrap_or_else(|_| data.to_owned()).join("outbox");
    settings.set(SETTING, folder.to_string_lossy().into_owned());
    folder
}

/// The routes of the pages.
pub(crate) fn router(folder: PathBuf) -> Router {
    Router::new()
        .route("/local-host/outbox", get(list))
        .route("/local-host/outbox/{name}", get(show))
        .with_state(Arc::new(folder))
}

async fn list(State(folder): State<Arc<PathBuf>>) -> Response {
    let mut letters = Vec::new();
    for name in newest(&folder).await {
        if let Ok(bytes) = tokio::fs::read(folder.join(&name)).await {
            letters.push((name, Letter::read(&bytes)));
        }
    }
    page(
        "Outbox",
        &html! {
            p { "Letters that were not sent, the newest first, from " code { (folder.display()) } "." }
            @if letters.is_empty() { p { "None yet." } }
            table {
                @for (name, letter) in &letters {
                    tr {
                        td { (letter.date) }
                        td { (letter.to) }
                        td { a href={ "/local-host/outbox/" (name) } { (letter.subject) } }
                    }
                }
            }
        },
    )
}

async fn show(State(folder): State<Arc<PathBuf>>, Segment(name): Segment<String>) -> Response {
    if !is_letter(&name) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(bytes) = tokio::fs::read(folder.join(&name)).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let letter = Letter::read(&bytes);
    page(
        &letter.subject,
        &html! {
            p { a href="/local-host/outbox" { "Outbox" } }
            table {
                tr { th { "From" } td { (letter.from) } }
                tr { th { "To" } td { (letter.to) } }
                tr { th { "Date" } td { (letter.date) } }
                tr { th { "Message-ID" } td { (letter.message_id) } }
                tr { th { "Size" } td { (bytes.len()) " bytes" } }
            }
            h2 { "HTML" }
            iframe sandbox="" srcdoc=(letter.html) title="The letter's HTML" {}
            h2 { "Text" }
            pre { (letter.text) }
        },
    )
}

fn page(title: &str, body: &Markup) -> Response {
    const STYLE: &str = "body{font:15px system-ui,sans-serif;max-width:60rem;margin:1rem auto;padding:0 1rem}\
        td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top;overflow-wrap:anywhere}\
        iframe{width:100%;height:40rem;border:1px solid #ccc}pre{white-space:pre-wrap;background:#f4f4f4;padding:1rem}";
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (title) } style { (STYLE) } }
            body { h1 { (title) } (body) }
        }
    };
    let mut response = Html(markup.into_string()).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

/// Names of letters, the newest first.
async fn newest(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return names };
    while let Ok(Some(entry)) = entries.next_entry().await {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_letter(&name) {
            names.push(name);
        }
    }
    names.sort_unstable_by(|left, right| right.cmp(left));
    names.truncate(MOST_LISTED);
    names
}

/// Whether a name is one of a letter, and of nothing outside the folder.
fn is_letter(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    name.ends_with(".eml") && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        assert!(is_letter("01767323045000-mail-alerts-7.1-anna_example.com.eml"));
        for name in ["../x.eml", "a/b.eml", "a\\b.eml", "x.txt", "", "%2e.eml"] {
            assert!(!is_letter(name), "{name}");
        }
    }
}
