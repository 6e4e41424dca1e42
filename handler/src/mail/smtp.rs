//! A mail server, spoken to with TLS and proof of who we are.

use std::time::Duration;

use anyhow::Context;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;

use super::Outcome;
use crate::settings::{SmtpSecurity, SmtpSettings};
use crate::store::with_causes;

/// How long a server may take for a letter: some look for spam before they take a message, and an answer
/// that comes too late is a letter sent twice.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections at the same time.
const CONNECTIONS: u32 = 4;
/// Characters of a server's answer that are kept.
const COMPLAINT_CHARS: usize = 300;

/// A mail server.
#[derive(Debug)]
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    place: String,
    security: SmtpSecurity,
}

impl Smtp {
    /// Prepares to connect.
    pub(super) fn new(settings: &SmtpSettings) -> anyhow::Result<Self> {
        let tls = match settings.security {
            SmtpSecurity::Plain => Tls::None,
            SmtpSecurity::StartTls => Tls::Required(parameters(settings)?),
            SmtpSecurity::Tls => Tls::Wrapper(parameters(settings)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS));
        if let Some(credentials) = &settings.credentials {
            let password = credentials.password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(credentials.user.clone(), password));
        }
        let place = format!("{}:{}", settings.host, settings.port);
        Ok(Self { transport: builder.build(), place, security: settings.security })
    }

    pub(super) fn announce(&self) {
        match self.security {
            SmtpSecurity::Plain => {
                tracing::warn!(
                    server = self.place,
                    "mail leaves unencrypted; write `smtps://` or `?tls=required` in SMTP_URL"
                );
            }
            SmtpSecurity::Tls | SmtpSecurity::StartTls => {
                tracing::info!(server = self.place, "mail leaves encrypted");
            }
        }
    }

    /// Connects and proves who we are; the connection is kept for what follows.
    ///
    /// Apart from sending, because a password that is refused is refused for good by the protocol, and yet no fault of
    /// a recipient.
    pub(super) async fn reach(&self) -> Result<(), String> {
        // The library's own time limit holds for connecting alone.
        let Ok(reached) = tokio::time::timeout(PATIENCE, self.transport.test_connection()).await else {
            return Err(format!("the mail server {} takes too long to greet", self.place));
        };
        match reached {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("the mail server {} does not answer", self.place)),
            Err(error) => {
                Err(format!("the mail server {} cannot be used: {}", self.place, complaint(&error)))
            }
        }
    }

    pub(super) async fn send(&self, message: Message) -> Outcome {
        let Ok(sent) = tokio::time::timeout(PATIENCE, self.transport.send(message)).await else {
            return Outcome::Failed(format!("the mail server {} takes too long", self.place));
        };
        match sent {
            Ok(_) => Outcome::Sent,
            Err(error) if error.is_permanent() && !asks_who_we_are(&error) => {
                Outcome::Refused(complaint(&error))
            }
            // A refused connection is neither transient nor permanent by the library's own words.
            Err(error) => Outcome::Failed(complaint(&error)),
        }
    }
}

/// Whether the server refuses us, not the letter: 530, 534, 535 and 538.
fn asks_who_we_are(error: &Error) -> bool {
    error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538))
}

fn parameters(settings: &SmtpSettings) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.ca_file {
        let shown = file.display();
        let pem = std::fs::read(file).with_context(|| format!("SMTP_CA_FILE: `{shown}` cannot be read"))?;
        let certificate = Certificate::from_pem(&pem)
            .with_context(|| format!("SMTP_CA_FILE: `{shown}` holds no PEM certificates"))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().context("SMTP_URL: TLS cannot be set up for this host")
}

/// The error with its causes, in a line that is fit for logs and documents.
fn complaint(error: &Error) -> String {
    super::printable(&with_causes(error), COMPLAINT_CHARS)
}
