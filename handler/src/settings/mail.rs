//! Who gets mail, from whom, and by which way it leaves.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use lettre::Address;
use lettre::message::Mailbox;
use secrecy::SecretString;
use url::{Host, Url};

use super::reader::Reader;

/// Most addresses in one setting: each is served by itself, within one call of a timer.
const MOST_RECIPIENTS: usize = 50;
/// Folder of mails that are not sent, in the machine's folder for temporary files.
const OUTBOX: &str = "temperature-anomaly-outbox";
/// Who mail is from while nothing leaves the machine.
const NOBODY: &str = "Temperatures <temperatures@localhost.localdomain>";

/// Who gets mail, from whom, and by which way it leaves.
#[derive(Debug)]
pub struct MailSettings {
    /// Who mail is from; `MAIL_FROM`.
    pub from: Mailbox,
    /// Who hears of every alert and gets the digest; `MAIL_TO`, nobody.
    pub to: Vec<Address>,
    /// Who hears of critical alerts alone; `MAIL_TO_CRITICAL`, nobody.
    pub to_critical: Vec<Address>,
    /// The way it leaves.
    pub way: MailWay,
}

/// The way mail leaves.
#[derive(Debug)]
pub enum MailWay {
    /// By a mail server; `SMTP_URL`.
    Smtp(SmtpSettings),
    /// It does not leave: files in this folder; `OUTBOX`.
    Outbox(PathBuf),
}

/// A mail server; `SMTP_URL`, such as `smtps://user:password@host` or `smtp://user:password@host?tls=required`.
#[derive(Debug)]
pub struct SmtpSettings {
    /// Its name, which its certificate must bear.
    pub host: String,
    /// Its port: 465 for TLS from the start, 587 for STARTTLS, 25 without.
    pub port: u16,
    /// What protects the connection.
    pub security: SmtpSecurity,
    /// Who we are there.
    pub credentials: Option<SmtpCredentials>,
    /// A file of PEM certificates that are trusted beside the platform's; `SMTP_CA_FILE`.
    pub ca_file: Option<PathBuf>,
}

/// What protects a connection to a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the start.
    Tls,
    /// TLS after a greeting, and nothing before it.
    StartTls,
    /// Nothing.
    Plain,
}

/// A name and its password.
#[derive(Debug, Clone)]
pub struct SmtpCredentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

impl MailSettings {
    /// All who may get mail, each once.
    #[must_use]
    pub fn everybody(&self) -> Vec<Address> {
        let mut all = self.to.clone();
        all.extend(self.to_critical.iter().filter(|address| !self.to.contains(address)).cloned());
        all
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let ca_file = reader.text("SMTP_CA_FILE").map(PathBuf::from);
        let way = match reader.text("SMTP_URL") {
            Some(url) => smtp(reader, &url, ca_file).map(MailWay::Smtp),
            None => {
                if ca_file.is_some() {
                    reader.fault("SMTP_CA_FILE: set, but SMTP_URL is not: without it no mail leaves");
                }
                None
            }
        };
        let outbox = reader.text("OUTBOX").map(PathBuf::from);
        let way = way
            .unwrap_or_else(|| MailWay::Outbox(outbox.unwrap_or_else(|| std::env::temp_dir().join(OUTBOX))));
        let from = sender(reader, matches!(way, MailWay::Smtp(_)));
        Self {
            from,
            to: addresses(reader, "MAIL_TO"),
            to_critical: addresses(reader, "MAIL_TO_CRITICAL"),
            way,
        }
    }
}

fn sender(reader: &mut Reader<'_>, leaves: bool) -> Mailbox {
    let text = reader.text("MAIL_FROM");
    if text.is_none() && leaves {
        reader.fault("MAIL_FROM: not set, and SMTP_URL needs it: write the address that mail is from");
    }
    match text.as_deref().unwrap_or(NOBODY).parse() {
        Ok(sender) => sender,
        Err(error) => {
            reader.fault(format!("MAIL_FROM: expected `Name <name@example.com>`: {error}"));
            Mailbox::new(None, Address::new_dangerous("temperatures", "localhost"))
        }
    }
}

/// Addresses divided by commas or semicolons, each once.
fn addresses(reader: &mut Reader<'_>, name: &str) -> Vec<Address> {
    let text = reader.text(name).unwrap_or_default();
    let mut all: Vec<Address> = Vec::new();
    for part in text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
        match part.parse::<Mailbox>() {
            Ok(mailbox) if all.contains(&mailbox.email) => {}
            Ok(mailbox) => all.push(mailbox.email),
            Err(error) => reader.fault(format!("{name}: `{part}` is no address: {error}")),
        }
    }
    if all.len() > MOST_RECIPIENTS {
        let n_all = all.len();
        reader.fault(format!(
            "{name}: {n_all} addresses; use a mailing list, more than {MOST_RECIPIENTS} do not fit"
        ));
    }
    all
}

/// Reads the address of a mail server; no complaint quotes it, because it may hold a password.
fn smtp(reader: &mut Reader<'_>, text: &str, ca_file: Option<PathBuf>) -> Option<SmtpSettings> {
    let mut fault = |fault: &str| {
        reader.fault(format!(
            "SMTP_URL: {fault}; expected `smtps://user:password@host:465` or `smtp://host:587?tls=required`"
        ));
        None
    };
    let Ok(url) = Url::parse(text) else { return fault("is no address") };
    let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let (security, usual_port) = match (url.scheme(), tls.as_deref()) {
        ("smtps", None | Some("wrapper")) => (SmtpSecurity::Tls, 465),
        ("smtp", Some("required")) => (SmtpSecurity::StartTls, 587),
        ("smtp", None) => (SmtpSecurity::Plain, 25),
        _ => return fault("has an unknown scheme or `tls`"),
    };
    let host = match url.host() {
        Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        _ => return fault("names no host"),
    };
    let password = url.password().map(decoded);
    let credentials = match (decoded(url.username()), password) {
        (Some(user), Some(Some(password))) if !user.is_empty() => {
            Some(SmtpCredentials { user, password: SecretString::from(password) })
        }
        (Some(user), None) if user.is_empty() => None,
        _ => return fault("needs both a name and a password, or neither, percent-encoded"),
    };
    if credentials.is_some() && security == SmtpSecurity::Plain && !is_loopback(&url) {
        return fault("would send a password unprotected");
    }
    Some(SmtpSettings { host, port: url.port().unwrap_or(usual_port), security, credentials, ca_file })
}

fn decoded(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Whether an address names this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // Of schemes that no browser knows, an IPv4 address is read as a name, too.
        Some(Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
