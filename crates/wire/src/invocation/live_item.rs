//! Messages and group changes for SignalR's output binding.
//!
//! Enters: whom to tell what. Leaves: an item that the binding sends as it is meant. It refuses empty names, because an
//! empty user or group would mean everyone.

use super::damage::{Damage, looks_like_date};
use super::push::{push_field, push_list, push_string};
use super::raw_object::RawObject;

/// One message or group change for SignalR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveItem(LiveKind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum LiveKind {
    Message { audience: Audience, target: String, arguments: Vec<RawObject> },
    Group { change: GroupChange, user: String, group: String },
}

/// Who gets a live message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Every connected client.
    Everyone,
    /// The connections of one user.
    User(String),
    /// The members of a group.
    Group(String),
}

/// What happens to a user's membership in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupChange {
    /// Joins.
    Add,
    /// Leaves.
    Remove,
}

impl LiveItem {
    /// A message: `target` is the name of the client's method.
    ///
    /// # Errors
    ///
    /// [`Damage`] when a name is empty or looks like a date.
    pub fn message(audience: Audience, target: &str, arguments: Vec<RawObject>) -> Result<Self, Damage> {
        check_name(target, "target")?;
        match &audience {
            Audience::Everyone => {}
            Audience::User(user) => check_name(user, "user")?,
            Audience::Group(group) => check_name(group, "group")?,
        }
        Ok(Self(LiveKind::Message { audience, target: target.to_owned(), arguments }))
    }

    /// A change of a user's membership in a group.
    ///
    /// # Errors
    ///
    /// [`Damage`] when a name is empty or looks like a date.
    pub fn group(change: GroupChange, user: &str, group: &str) -> Result<Self, Damage> {
        check_name(user, "user")?;
        check_name(group, "group")?;
        Ok(Self(LiveKind::Group { change, user: user.to_owned(), group: group.to_owned() }))
    }

    /// Writes the item.
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        match &self.0 {
            LiveKind::Message { audience, target, arguments } => {
                out.extend_from_slice(b"{\"target\":");
                push_string(out, target);
                out.extend_from_slice(b",\"arguments\":");
                push_list(out, arguments, |out, argument| out.extend_from_slice(argument.json().as_bytes()));
                match audience {
                    Audience::Everyone => {}
                    Audience::User(user) => push_field(out, "userId", user),
                    Audience::Group(group) => push_field(out, "groupName", group),
                }
            }
            LiveKind::Group { change, user, group } => {
                out.extend_from_slice(b"{\"action\":");
                push_string(
                    out,
                    match change {
                        GroupChange::Add => "add",
                        GroupChange::Remove => "remove",
                    },
                );
                push_field(out, "userId", user);
                push_field(out, "groupName", group);
            }
        }
        out.push(b'}');
    }
}

fn check_name(name: &str, part: &'static str) -> Result<(), Damage> {
    if name.is_empty() {
        return Err(Damage::EmptyName { part });
    }
    if looks_like_date(name) { Err(Damage::DateIn { part }) } else { Ok(()) }
}
