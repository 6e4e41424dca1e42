//! Targets: where messages go.
//!
//! A message enters, and is on its way or was not taken; retries are the caller's.

pub(crate) mod device_call;
pub(crate) mod event_hub;
pub(crate) mod registry;

use crate::http::SendError;
use crate::message::Message;
use device_call::DeviceCall;
use event_hub::EventHub;

/// Where messages go.
pub(crate) enum Target {
    /// IoT Hub's device call, to the local host or to Azure.
    Device(DeviceCall),
    /// Event Hubs' send call.
    EventHub(EventHub),
    /// One message a line.
    Stdout,
}

impl Target {
    /// Sends one message over HTTP; lines for stdout go another way.
    ///
    /// # Errors
    ///
    /// As the answer says.
    pub(crate) async fn send(&self, message: &Message) -> Result<(), SendError> {
        match self {
            Self::Device(target) => target.send(message).await,
            Self::EventHub(target) => target.send(message).await,
            Self::Stdout => Ok(()),
        }
    }

    /// Name for messages to people.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Device(target) => target.base(),
            Self::EventHub(target) => target.url(),
            Self::Stdout => "stdout",
        }
    }
}
