//! The signalR output binding: items enter, one call of the service after another leaves.
//!
//! A service that is away is met as the real extension's client meets it: a closed port fails at once, a silent one after the client's limit.

use std::sync::Arc;
use std::time::Duration;

use super::hubs::Hubs;
use super::item::Item;
use crate::faults::{Condition, Switch};

/// The client library's limit of one call.
const SILENCE_LIMIT: Duration = Duration::from_secs(100);
/// A closed port is noticed after 6 to 140 ms.
const REFUSED_AFTER: Duration = Duration::from_millis(20);

/// The client that the binding of one host sends with.
#[derive(Debug)]
pub struct OutputClient {
    hubs: Arc<Hubs>,
    condition: Arc<Switch>,
}

impl OutputClient {
    /// A client of these hubs.
    #[must_use]
    pub fn new(hubs: Arc<Hubs>, condition: Arc<Switch>) -> Self {
        Self { hubs, condition }
    }

    /// Sends items in order and stops at the first failure.
    ///
    /// # Errors
    ///
    /// That the service is away.
    pub async fn send_all(&self, hub: &str, items: Vec<Item>) -> Result<(), String> {
        for item in items {
            self.reach().await?;
            self.hubs.carry_out(hub, item);
        }
        Ok(())
    }

    async fn reach(&self) -> Result<(), String> {
        match self.condition.get() {
            Condition::Up => Ok(()),
            Condition::Refuses => {
                tokio::time::sleep(REFUSED_AFTER).await;
                Err("the signalr service refuses the connection".to_owned())
            }
            Condition::Silent if self.condition.is_up_within(SILENCE_LIMIT).await => Ok(()),
            Condition::Silent => {
                Err(format!("the signalr service has not answered within {} s", SILENCE_LIMIT.as_secs()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::json_net;
    use crate::signalr::read_item;

    fn items() -> Vec<Item> {
        vec![read_item(&json_net::read(r#"{"target":"a","arguments":[1]}"#).unwrap()).unwrap()]
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_port_fails_at_once_and_silence_after_the_clients_limit() {
        let (hubs, condition) = (Arc::new(Hubs::default()), Arc::new(Switch::default()));
        let (_, mut inbox) = hubs.connect("h", None, None);
        let client = OutputClient::new(hubs, Arc::clone(&condition));
        for (state, least, most) in [(Condition::Refuses, 0.0, 0.2), (Condition::Silent, 99.9, 100.1)] {
            condition.set(state);
            let start = Instant::now();
            assert!(client.send_all("h", items()).await.is_err());
            let took = start.elapsed().as_secs_f64();
            assert!((least..most).contains(&took), "{state:?}: {took}");
            assert_eq!(client.send_all("h", Vec::new()).await, Ok(()), "nothing to send, nothing to reach");
        }
        assert!(inbox.try_recv().is_err());
        condition.set(Condition::Up);
        client.send_all("h", items()).await.unwrap();
        assert!(inbox.try_recv().is_ok());
    }
}
