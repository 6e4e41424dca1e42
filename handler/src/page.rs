//! The built page, read into memory at start: what is not in this table does not exist, whatever a path says.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// File of the start page.
const INDEX: &str = "index.html";
/// Folder whose files carry a hash in their names and never change.
const HASHED_FOLDER: &str = "assets/";
/// Deepest folder and largest total that are taken for a page.
const MAX_DEPTH: usize = 8;
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Shown where the page was not built.
const NOTICE: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Dashboard not built</title>\
<h1>The dashboard is not built</h1><p>The API answers under <a href=/api/devices>/api/devices</a>. \
Install Node.js and stage the app again to get the page.</p></html>";

/// The page's files by path.
#[derive(Debug)]
pub struct Page {
    files: HashMap<String, File>,
    policy: HeaderValue,
}

#[derive(Debug)]
struct File {
    content_type: HeaderValue,
    etag: HeaderValue,
    bytes: Bytes,
}

impl Page {
    /// Reads `dashboard/` of the script root, or a notice where there is none.
    ///
    /// # Errors
    ///
    /// Names the file that cannot be read.
    pub fn load(script_root: &Path, signalr_origin: Option<&str>) -> anyhow::Result<Self> {
        let mut files = HashMap::new();
        let folder = script_root.join("dashboard");
        if folder.is_dir() {
            let mut n_bytes = 0;
            read_folder(&folder, "", 0, &mut n_bytes, &mut files)?;
        } else {
            tracing::warn!(folder = %folder.display(), "no dashboard: a notice stands in its place");
            files.insert(INDEX.to_owned(), File::new(INDEX, Bytes::from_static(NOTICE.as_bytes()))?);
        }
        Ok(Self { files, policy: content_security_policy(signalr_origin)? })
    }

    /// Answers a GET or HEAD for a raw path.
    #[must_use]
    pub fn serve(&self, path: &str, request: &HeaderMap) -> Response {
        let name = path.trim_start_matches('/');
        let name = if name.is_empty() { INDEX } else { name };
        let Some(file) = self.files.get(name) else {
            return crate::reply::ApiError::not_found("no such page").into_response();
        };
        let unchanged = request.get(IF_NONE_MATCH).is_some_and(|known| known == file.etag);
        let mut response = if unchanged {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Response::new(Body::from(file.bytes.clone()))
        };
        let keep =
            if name.starts_with(HASHED_FOLDER) { "public, max-age=31536000, immutable" } else { "no-cache" };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, file.content_type.clone());
        headers.insert(ETAG, file.etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }
}

impl File {
    fn new(name: &str, bytes: Bytes) -> anyhow::Result<Self> {
        let kind = mime_guess::from_path(name).first_or_octet_stream();
        let charset = if kind.type_() == mime_guess::mime::TEXT { "; charset=utf-8" } else { "" };
        let digest: String =
            Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            content_type: HeaderValue::from_str(&format!("{}{charset}", kind.essence_str()))?,
            etag: HeaderValue::from_str(&format!("\"{digest}\""))?,
            bytes,
        })
    }
}

fn read_folder(
    folder: &Path,
    prefix: &str,
    depth: usize,
    n_bytes: &mut u64,
    files: &mut HashMap<String, File>,
) -> anyhow::Result<()> {
    anyhow::ensure!(depth < MAX_DEPTH, "{} lies too deep for a page", folder.display());
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if path.is_dir() {
            read_folder(&path, &format!("{name}/"), depth + 1, n_bytes, files)?;
            continue;
        }
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        *n_bytes += bytes.len() as u64;
        anyhow::ensure!(*n_bytes <= MAX_BYTES, "{} holds more than a page", folder.display());
        files.insert(name.clone(), File::new(&name, bytes.into())?);
    }
    Ok(())
}

/// Lets the page load its own files and talk to its own origin and to the SignalR service, and to nobody else.
fn content_security_policy(signalr_origin: Option<&str>) -> anyhow::Result<HeaderValue> {
    let origin = signalr_origin.map(|origin| origin.trim_end_matches('/'));
    let signalr = match origin {
        Some(origin) => format!(" {origin} {}", origin.replacen("http", "ws", 1)),
        None => " https: wss:".to_owned(),
    };
    let policy = format!(
        "default-src 'self'; connect-src 'self'{signalr}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).context("the SignalR endpoint is no address")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> (tempfile::TempDir, Page) {
        let folder = tempfile::tempdir().unwrap();
        let dashboard = folder.path().join("dashboard");
        std::fs::create_dir_all(dashboard.join("assets")).unwrap();
        std::fs::write(dashboard.join("index.html"), "<p>page").unwrap();
        std::fs::write(dashboard.join("assets/app-1a2b.js"), "1").unwrap();
        std::fs::write(folder.path().join("secret"), "secret").unwrap();
        let page = Page::load(folder.path(), Some("http://127.0.0.1:8888")).unwrap();
        (folder, page)
    }

    #[test]
    fn serves_its_files_and_nothing_beside_them() {
        let (_folder, page) = page();
        for (path, status) in [
            ("/", 200),
            ("/index.html", 200),
            ("/assets/app-1a2b.js", 200),
            ("/../secret", 404),
            ("/..%2fsecret", 404),
            ("/assets/../../secret", 404),
            ("/assets", 404),
            ("/secret", 404),
        ] {
            assert_eq!(page.serve(path, &HeaderMap::new()).status(), status, "{path}");
        }
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let (_folder, page) = page();
        let etag = page.serve("/", &HeaderMap::new()).headers()[ETAG].clone();
        let known = HeaderMap::from_iter([(IF_NONE_MATCH, etag)]);
        assert_eq!(page.serve("/", &known).status(), 304);
    }

    #[test]
    fn the_policy_admits_the_signalr_service() {
        let (_folder, page) = page();
        let response = page.serve("/", &HeaderMap::new());
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("connect-src 'self' http://127.0.0.1:8888 ws://127.0.0.1:8888;"), "{policy}");
    }

    #[test]
    fn without_a_page_there_is_a_notice() {
        let folder = tempfile::tempdir().unwrap();
        let page = Page::load(folder.path(), None).unwrap();
        assert_eq!(page.serve("/", &HeaderMap::new()).status(), 200);
    }
}
