//! The minute's timer: quiet where nobody is to be told, and a failure that says so where nothing can be read.

use crate::{Handler, recorded_body};

/// Calls that the real host made of a timer's function; the name of the function is not in them.
fn call() -> Vec<u8> {
    recorded_body("timer.jsonl", "timer-admin-500")
}

#[tokio::test]
async fn without_recipients_nothing_is_asked() {
    let handler = Handler::new(&[]);
    for function in ["send_alerts", "send_digest"] {
        let reply = handler.invoke(function, call()).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "{}"), "{function}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_a_failure_and_not_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = folder.path().to_string_lossy().into_owned();
    let handler = Handler::new(&[("MAIL_TO", "anna@example.com"), ("OUTBOX", &outbox)]);
    let reply = handler.invoke("send_alerts", call()).await;
    assert_eq!(reply.status, 500);
    assert!(reply.text().contains("what is to be sent"), "{}", reply.text());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_envelope_without_a_timer_is_refused() {
    let handler = Handler::new(&[]);
    let reply = handler.invoke("send_alerts", br#"{"Data":{},"Metadata":{}}"#.to_vec()).await;
    assert_eq!(reply.status, 500);
}
