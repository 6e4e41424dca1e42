//! The page: for everybody, whatever the store does, and nothing beside it.

use crate::Handler;

#[tokio::test]
async fn everybody_gets_the_page_and_a_policy_with_it() {
    let handler = Handler::new(&[("API_KEY", "right")]);
    let page = handler.get("/", &[]).await;
    assert_eq!(page.status, 200);
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'self';"));
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    let etag = page.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(handler.get("/", &[("if-none-match", &etag)]).await.status, 304);
}

#[tokio::test]
async fn files_beside_the_page_are_not_served() {
    let handler = Handler::new(&[]);
    for path in
        ["/host.json", "/handler", "/model/autoencoder.onnx", "/%2e%2e/host.json", "/index.html/..", "/."]
    {
        assert_eq!(handler.get(path, &[]).await.status, 404, "{path}");
    }
}
