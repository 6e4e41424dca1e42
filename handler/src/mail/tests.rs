//! Messages as they leave, and what device text can make of them.

use super::*;
use proptest::prelude::*;

fn letter(subject: &str) -> Letter {
    Letter {
        message_id: message_id("mail-alerts-7", 1_767_323_045_000, "example.com"),
        at: 1_767_323_045_000,
        subject: subject.to_owned(),
        text: "freezer-7 is too warm.\n".to_owned(),
        html: "<p>freezer-7 is too warm.</p>".to_owned(),
        pictures: vec![Picture { name: "chart-1".to_owned(), png: vec![1, 2, 3] }],
    }
}

fn formatted(letter: &Letter) -> String {
    let from = "Temperatures <alerts@example.com>".parse().unwrap();
    let message = letter.message(&from, &"anna@example.com".parse().unwrap()).unwrap();
    String::from_utf8(message.formatted()).unwrap()
}

#[test]
fn a_letter_is_the_same_message_each_time() {
    let message = formatted(&letter("freezer-7: limit, critical"));
    assert_eq!(message, formatted(&letter("freezer-7: limit, critical")));
    insta::assert_snapshot!(message.replace('\r', ""));
}

#[test]
fn a_device_s_name_adds_no_header_and_no_line() {
    let message = formatted(&letter("x\r\nBcc: victim@example.com\r\n\r\n<b>\u{202e}gnp.exe"));
    let (head, _) = message.split_once("\r\n\r\n").unwrap();
    let names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split_once(':').unwrap().0)
        .collect();
    assert_eq!(
        names,
        ["From", "To", "Date", "Message-ID", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"]
    );
}

proptest! {
    #[test]
    fn no_text_breaks_out_of_the_subject(subject in any::<String>()) {
        let quiet = formatted(&letter("quiet"));
        let message = formatted(&letter(&subject));
        let head = |message: &str| {
            let (head, _) = message.split_once("\r\n\r\n").unwrap();
            head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])).map(|line| line.split(':').next().unwrap_or("").to_owned()).collect::<Vec<_>>()
        };
        prop_assert_eq!(head(&message), head(&quiet));
        prop_assert!(message.is_ascii());
    }
}

#[tokio::test]
async fn without_a_server_a_letter_is_a_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let settings = MailSettings {
        from: "alerts@example.com".parse().unwrap(),
        to: vec!["anna@example.com".parse().unwrap()],
        to_critical: vec![],
        way: MailWay::Outbox(folder.path().join("outbox")),
    };
    let mail = Mail::new(&settings).unwrap();
    for _ in 0..2 {
        mail.reach().await.unwrap();
        let sent = mail.send(&settings.to[0], &letter("once")).await;
        assert_eq!(sent, Outcome::Sent);
    }
    let names: Vec<String> = std::fs::read_dir(folder.path().join("outbox"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["01767323045000-mail-alerts-7.1767323045000-anna_example.com.eml"]);
}
