//! Items of the signalR output binding: a JSON object enters, a message or a group action leaves. Pure.

use crate::json_net::Json;

/// Whom a message reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One connection.
    Connection(String),
    /// All connections of a user.
    User(String),
    /// All connections of a group.
    Group(String),
    /// Everyone on the hub.
    All,
}

/// What is done to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupAction {
    /// Add to the group.
    Add,
    /// Remove from the group.
    Remove,
    /// Remove from all groups.
    RemoveAll,
}

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Call a method of clients.
    Message {
        /// Whom.
        scope: Scope,
        /// Method name.
        target: String,
        /// Arguments.
        arguments: Vec<Json>,
    },
    /// Change the members of a group.
    Group {
        /// Who: a connection or a user.
        member: Scope,
        /// Group name; unused for removal from all.
        group: String,
        /// What.
        action: GroupAction,
    },
}

/// Reads one item.
///
/// # Errors
///
/// What is missing; the invocation then fails.
pub fn read_item(value: &Json) -> Result<Item, String> {
    let text = |name: &str| {
        let value = value.get_ignoring_case(name)?.scalar_text()?;
        Some(value).filter(|text| !text.is_empty())
    };
    if let Some(action) = text("action") {
        return read_group_action(&action, text("connectionId"), text("userId"), text("groupName"));
    }
    let target = text("target").ok_or("an item has neither `target` nor `action`")?;
    let arguments = match value.get_ignoring_case("arguments") {
        Some(Json::Array(arguments)) => arguments.clone(),
        _ => return Err(format!("message `{target}` has no array `arguments`")),
    };
    let scope = if let Some(connection) = text("connectionId") {
        Scope::Connection(connection)
    } else if let Some(user) = text("userId") {
        Scope::User(user)
    } else if let Some(group) = text("groupName") {
        Scope::Group(group)
    } else {
        Scope::All
    };
    Ok(Item::Message { scope, target, arguments })
}

fn read_group_action(
    action: &str,
    connection: Option<String>,
    user: Option<String>,
    group: Option<String>,
) -> Result<Item, String> {
    let member = match (connection, user) {
        (Some(connection), _) => Scope::Connection(connection),
        (None, Some(user)) => Scope::User(user),
        (None, None) => return Err("a group action names neither `connectionId` nor `userId`".to_owned()),
    };
    let action = match action.to_ascii_lowercase().as_str() {
        "add" => GroupAction::Add,
        "remove" => GroupAction::Remove,
        "removeall" => GroupAction::RemoveAll,
        other => return Err(format!("group action `{other}` is unknown")),
    };
    match (group, action) {
        (Some(group), _) => Ok(Item::Group { member, group, action }),
        (None, GroupAction::RemoveAll) => Ok(Item::Group { member, group: String::new(), action }),
        (None, _) => Err("a group action has no `groupName`".to_owned()),
    }
}
