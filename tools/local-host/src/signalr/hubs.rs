//! Who is connected to which hub, as whom, in which groups; items enter, records leave to the connections they are meant for.
//!
//! A connection that does not take its records is closed: memory is bounded by its queue.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::item::{GroupAction, Item, Scope};
use super::protocol;

/// Records that may wait for a slow connection.
const QUEUE: usize = 256;

#[derive(Debug)]
struct Connection {
    user: Option<String>,
    records: mpsc::Sender<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Member {
    Connection(String),
    User(String),
}

#[derive(Debug, Default)]
struct Hub {
    connections: HashMap<String, Connection>,
    groups: HashMap<String, HashSet<Member>>,
}

/// All hubs.
#[derive(Debug, Default)]
pub struct Hubs {
    hubs: Mutex<HashMap<String, Hub>>,
}

impl Hubs {
    /// Adds a connection and returns its id with the records to send to it; they end when it is to be closed.
    pub(super) fn connect(
        &self,
        hub: &str,
        wanted_id: Option<String>,
        user: Option<String>,
    ) -> (String, mpsc::Receiver<String>) {
        let (records, inbox) = mpsc::channel(QUEUE);
        let mut hubs = self.lock();
        let hub = hubs.entry(hub.to_lowercase()).or_default();
        let id = wanted_id
            .filter(|id| !hub.connections.contains_key(id))
            .unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        hub.connections.insert(id.clone(), Connection { user, records });
        (id, inbox)
    }

    /// Removes a connection, also from its groups.
    pub(super) fn disconnect(&self, hub: &str, id: &str) {
        if let Some(hub) = self.lock().get_mut(&hub.to_lowercase()) {
            hub.connections.remove(id);
            hub.leave_all(&Member::Connection(id.to_owned()));
        }
    }

    /// Number of connections of a hub.
    #[must_use]
    pub fn connection_count(&self, hub: &str) -> usize {
        self.lock().get(&hub.to_lowercase()).map_or(0, |hub| hub.connections.len())
    }

    /// Sends a message or changes a group.
    pub fn carry_out(&self, hub: &str, item: Item) {
        let mut hubs = self.lock();
        let hub = hubs.entry(hub.to_lowercase()).or_default();
        match item {
            Item::Message { scope, target, arguments } => {
                hub.send(&scope, &protocol::invocation(&target, arguments));
            }
            Item::Group { member, group, action } => hub.change_group(member, group, action),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Hub>> {
        // The maps are whole between any two statements: a panic elsewhere does not spoil them.
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    fn send(&mut self, scope: &Scope, record: &str) {
        let group = match scope {
            Scope::Group(name) => self.groups.get(name),
            _ => None,
        };
        let mut slow = Vec::new();
        for (id, connection) in &self.connections {
            let meant = match scope {
                Scope::All => true,
                Scope::Connection(wanted) => wanted == id,
                Scope::User(wanted) => connection.user.as_ref() == Some(wanted),
                Scope::Group(_) => group.is_some_and(|members| {
                    members.contains(&Member::Connection(id.clone()))
                        || connection.user.clone().is_some_and(|user| members.contains(&Member::User(user)))
                }),
            };
            if meant && connection.records.try_send(record.to_owned()).is_err() {
                slow.push(id.clone());
            }
        }
        for id in slow {
            tracing::warn!(connection = id, "a signalr client takes no messages and is disconnected");
            self.connections.remove(&id);
        }
    }

    fn change_group(&mut self, member: Scope, group: String, action: GroupAction) {
        let member = match member {
            Scope::Connection(id) => Member::Connection(id),
            Scope::User(id) => Member::User(id),
            Scope::Group(_) | Scope::All => return,
        };
        match action {
            GroupAction::Add => {
                self.groups.entry(group).or_default().insert(member);
            }
            GroupAction::Remove => {
                if let Some(members) = self.groups.get_mut(&group) {
                    members.remove(&member);
                }
                self.groups.retain(|_, members| !members.is_empty());
            }
            GroupAction::RemoveAll => self.leave_all(&member),
        }
    }

    fn leave_all(&mut self, member: &Member) {
        for members in self.groups.values_mut() {
            members.remove(member);
        }
        self.groups.retain(|_, members| !members.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_net;
    use crate::signalr::read_item;

    fn item(text: &str) -> Item {
        read_item(&json_net::read(text).unwrap()).unwrap()
    }

    #[test]
    fn messages_reach_whom_they_are_meant_for() {
        let hubs = Hubs::default();
        let (first, mut to_first) = hubs.connect("Telemetry", None, Some("u1".to_owned()));
        let (_, mut to_second) = hubs.connect("telemetry", None, None);
        hubs.carry_out("telemetry", item(r#"{"target":"a","arguments":[1]}"#));
        hubs.carry_out("telemetry", item(r#"{"target":"b","arguments":[],"userId":"u1"}"#));
        hubs.carry_out("telemetry", item(r#"{"userId":"u1","groupName":"g","action":"add"}"#));
        hubs.carry_out("telemetry", item(r#"{"target":"c","arguments":[],"groupName":"g"}"#));
        hubs.carry_out("telemetry", item(r#"{"userId":"u1","action":"removeAll"}"#));
        hubs.carry_out("telemetry", item(r#"{"target":"d","arguments":[],"groupName":"g"}"#));
        let mut received = Vec::new();
        while let Ok(record) = to_first.try_recv() {
            received.push(record);
        }
        assert_eq!(received.len(), 3, "{received:?}");
        assert_eq!(received[0], "{\"type\":1,\"target\":\"a\",\"arguments\":[1]}\u{1e}");
        assert!(to_second.try_recv().is_ok() && to_second.try_recv().is_err());
        hubs.disconnect("telemetry", &first);
        assert_eq!(hubs.connection_count("telemetry"), 1);
    }

    #[test]
    fn a_connection_that_takes_nothing_is_dropped() {
        let hubs = Hubs::default();
        let (_, _inbox) = hubs.connect("h", None, None);
        for _ in 0..=QUEUE {
            hubs.carry_out("h", item(r#"{"target":"a","arguments":[]}"#));
        }
        assert_eq!(hubs.connection_count("h"), 0);
    }
}
